"""Checks of what users pass."""

import os
import socket

import numpy as np
import pytest

from keras_bert.arguments import (
    as_integer,
    as_integers,
    as_size,
    check_head_num,
    check_is_no_table,
    check_number,
    check_on_disk,
    check_path,
    describe,
    shorten,
)


@pytest.mark.parametrize("value", [3, np.int64(3), np.array(3), True])
def test_integers_of_any_kind(value):
    assert as_integer("units", value) == int(value)
    assert type(as_integer("units", np.int64(3))) is int
    assert as_size("units", value) == int(value)


@pytest.mark.parametrize("value", [3.0, "3", None, [3], np.array([3, 4])])
def test_what_is_no_integer(value):
    for check in (as_integer, as_size):
        with pytest.raises(TypeError, match=r"^`units` must be an integer\. Received: .* \(\w+\)$"):
            check("units", value)


@pytest.mark.parametrize("value", [0, -1, np.int64(-7)])
def test_a_size_is_positive(value):
    assert as_integer("units", value) == value
    with pytest.raises(ValueError, match=f"`units` must be at least 1. Received: units={value}"):
        as_size("units", value)


@pytest.mark.parametrize("value", [3, 0.5, np.int64(3), np.float32(0.5), np.array(3), True])
def test_numbers_of_any_kind(value):
    check_number("rate", value)


@pytest.mark.parametrize("value", ["3", b"3", None, [3], lambda: 3.0])
def test_what_is_no_number(value):
    with pytest.raises(TypeError, match=r"^`rate` must be a number\. Received: .* \(\w+\)\.$"):
        check_number("rate", value)


def test_paths(tmp_path):
    check_path("folder", tmp_path)
    check_path("folder", "anything")
    for value in (None, 5, b"a", ["a"]):
        with pytest.raises(TypeError, match=r"^`folder` must be a path\. Received: .* \(\w+\)\.$"):
            check_path("folder", value)


@pytest.mark.parametrize("values", [[3, -1], (3, -1), np.array([3, -1]), np.array([3.0, -1.0])])
def test_lists_of_integers(values):
    assert as_integers("indices", values) == [3, -1]
    assert {type(each) for each in as_integers("indices", values)} == {int}


@pytest.mark.parametrize(
    "values", [None, 3, "3", ["3"], [3.5], [float("nan")], [None], np.array([[3]]), np.array(3)]
)
def test_what_is_no_list_of_integers(values):
    with pytest.raises(TypeError, match="`indices` must be a list or a one-dimensional array"):
        as_integers("indices", values)


class Frame:
    """What a table of pandas has, as far as anybody asks."""

    columns = ("text", "label")
    iloc = None


def test_a_table_is_no_texts():
    message = r"`texts` is a table: .* or list\(texts\) for its keys\. Received: a dict\.$"
    with pytest.raises(TypeError, match=message):
        check_is_no_table("`texts`", {"text": ["a"]})
    message = r"`texts` is a table: .* such as df\['text'\]\. Received: a Frame\.$"
    with pytest.raises(TypeError, match=message):
        check_is_no_table("`texts`", Frame())
    for texts in (["a"], ("a",), iter("a"), np.array(["a"])):
        check_is_no_table("`texts`", texts)


def test_a_table_of_pandas_is_no_texts_and_its_columns_are():
    pandas = pytest.importorskip("pandas", reason="needs the extra ray, for pandas")
    frame = pandas.DataFrame({"text": ["a", "b"]})
    with pytest.raises(TypeError, match=r"such as df\['text'\]"):
        check_is_no_table("`texts`", frame)
    check_is_no_table("`texts`", frame["text"])


def test_heads_divide_the_feature_size():
    check_head_num(3, 12, "here")
    for head_num in (5, 0, -3):
        with pytest.raises(
            ValueError, match=rf"divide .* in here\. Received: head_num={head_num}, .* size=12"
        ):
            check_head_num(head_num, 12, "here")
    with pytest.raises(TypeError, match="`head_num` must be an integer"):
        check_head_num(3.0, 12, "here")


def test_long_values_are_shortened():
    assert describe("a") == "'a' (str)"
    assert shorten("a" * 78) == repr("a" * 78)
    assert shorten("a" * 79) == "'" + "a" * 76 + "..."
    assert describe(list(range(100))).endswith("... (list)")


def test_what_is_on_disk(tmp_path):
    (tmp_path / "file").touch()
    check_on_disk(tmp_path / "file")
    check_on_disk(str(tmp_path))
    with pytest.raises(FileNotFoundError, match="none"):
        check_on_disk(tmp_path / "none")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes that have a name are Unix'")
def test_what_is_not_on_disk(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    os.symlink("/dev/zero", tmp_path / "device")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(tmp_path / "socket"))  # whose length is limited
        kinds = {"pipe": "a pipe", "device": "a .* device", "socket": "a socket"}
        for name, kind in kinds.items():
            message = rf"/{name} must be a file on disk\. Received: {kind}"
            with pytest.raises(OSError, match=message):
                check_on_disk(tmp_path / name)
