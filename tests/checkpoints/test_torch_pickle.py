"""Pickles in PyTorch's files: what they may say, and such as mean harm, in both formats."""

import io
import os
import pickle
import shutil
import tracemalloc
from collections import OrderedDict

import pytest
from checkpoint_files import save_pickle
from runtimes import once

from keras_bert.checkpoints import CheckpointError, open_checkpoint
from keras_bert.checkpoints.torch_pickle import Unpickler

pytestmark = once


class Harm:
    """Pickles as a call."""

    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call


@pytest.fixture(params=[False, True], ids=["zip", "legacy"])
def legacy(request):
    return request.param


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize(
    ("call", "name"),
    [
        ((os.system, ("touch harm-was-done",)), f"{os.name}.system"),
        ((eval, ("open('harm-was-done', 'w')",)), "builtins.eval"),
        ((getattr, (OrderedDict, "fromkeys")), "builtins.getattr"),
        ((shutil.rmtree, ("/nowhere",)), "shutil.rmtree"),
        ((__import__, ("antigravity",)), "builtins.__import__"),
    ],
)
def test_harmful_calls_are_refused_and_not_run(tmp_path, monkeypatch, legacy, protocol, call, name):
    monkeypatch.chdir(tmp_path)
    # Protocol 2 writes the names of Python 2.
    names = {name, name.replace("builtins", "__builtin__")}
    path = save_pickle(tmp_path / "m.bin", pickle.dumps({"a": Harm(*call)}, protocol), legacy)
    with pytest.raises(CheckpointError, match=r"nothing in the file has been run") as error:
        open_checkpoint(path)
    assert any(f"asks for '{name}'" in str(error.value) for name in names)
    assert os.listdir(tmp_path) == ["m.bin"]


def test_whole_models_are_refused_with_a_way_out(tmp_path, legacy):
    content = b"\x80\x02ctorch.nn.modules.linear\nLinear\n)\x81."
    path = save_pickle(tmp_path / "m.bin", content, legacy)
    with pytest.raises(CheckpointError, match=r"torch\.save\(model\.state_dict\(\), path\)"):
        open_checkpoint(path)


BOMBS = {
    "memo of four billion": b"\x80\x02}r\xff\xff\xff\xff.",
    "text of four gigabytes": b"\x80\x02X\xff\xff\xff\xffabc.",
    "text of an exabyte": b"\x80\x04\x8d" + b"\xff" * 8 + b"abc.",
    "buffer of an exabyte": b"\x80\x05\x96" + b"\xff" * 8 + b"abc.",
    "frame of an exabyte": b"\x80\x04\x95" + b"\xff" * 8,
    "endless marks": b"\x80\x02" + b"(" * 1_000_000 + b".",
    "endless nesting": b"\x80\x02}q\x00" + b"X\x01\x00\x00\x00a}q\x00s" * 10_000 + b".",
    "tuple of tuples as a key": b"\x80\x02})" + b"q\x01h\x01\x86" * 60 + b"Ks.",
    "dictionary in itself": b"\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s.",
    "no end": b"\x80\x02}",
    "nothing": b"",
    "empty stack": b"\x80\x02.",
    "no mark": b"\x80\x02}u.",
    "no dictionary": b"\x80\x02].",
    "list for many dictionaries": (
        b"\x80\x02ccollections\nOrderedDict\nq\x00]("
        + b"".join(b"M" + number.to_bytes(2, "little") + b"N\x86" for number in range(1000))
        + b"e\x85q\x01("
        + b"h\x00h\x01R" * 2500
        + b"t."
    ),
    "call of a dictionary": b"\x80\x02})R.",
    "call of a storage type": b"\x80\x02ctorch\nFloatStorage\n)R.",
    "call with too little": b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n)R.",
    "name without an end": b"\x80\x02ctorch",
}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(content, id=name, marks=[pytest.mark.slow] * (name == "endless marks"))
        for name, content in BOMBS.items()
    ],
)
def test_bombs_are_errors_and_take_no_memory(tmp_path, legacy, content):
    path = save_pickle(tmp_path / "m.bin", content, legacy)
    tracemalloc.start()
    try:
        try:
            checkpoint = open_checkpoint(path)
        except CheckpointError:
            pass
        else:
            assert len(checkpoint) == 0
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 50e6


def test_strings_of_python_2_and_old_functions():
    content = b"\x80\x02ccollections\nOrderedDict\n]](U\x01aK\x05ea\x85R."
    assert Unpickler(memoryview(content)).run() == {"a": 5}


def test_ordinary_values_mean_what_pickle_says():
    value = {
        "numbers": [0, 255, 256, 65535, 65536, -1, 2**40, 1.5, True, False, None],
        "tuples": ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)),
        "text": ["a", "é" * 300],
        1: [[], {}],
    }
    for protocol in (2, 3, 4, 5):
        content = pickle.dumps(value, protocol)
        unpickler = Unpickler(memoryview(content + b"rest"))
        assert unpickler.run() == pickle.load(io.BytesIO(content))
        assert unpickler.position == len(content)
