"""Checks of what users pass, and how error messages show it."""

import operator
import os
import stat
from collections.abc import Iterable, Mapping
from typing import Any


def as_integer(name: str, value: Any) -> int:
    """Return a value as int; refuse what is no integer, floats included."""
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"`{name}` must be an integer. Received: {describe(value)}") from None


def as_size(name: str, value: Any) -> int:
    """Return a value as int; refuse what is no positive integer."""
    size = as_integer(name, value)
    if size < 1:
        raise ValueError(f"`{name}` must be at least 1. Received: {name}={value}.")
    return size


def check_number(name: str, value: Any) -> None:
    """Refuse what is no number, digits in a str included."""
    if not hasattr(value, "__float__"):
        raise TypeError(f"`{name}` must be a number. Received: {describe(value)}.")


def as_integers(name: str, values: Iterable[Any]) -> list[int]:
    """List the integers of a list or array; integers stored as floats are taken too."""
    try:
        values = values.tolist() if hasattr(values, "tolist") else list(values)
        integers = [int(value) for value in values if not isinstance(value, str)]
    except (TypeError, ValueError, OverflowError):
        integers = None
    if integers is None or integers != values:
        raise TypeError(
            f"`{name}` must be a list or a one-dimensional array of integers. "
            f"Received: {describe(values)}"
        )
    return integers


def check_head_num(head_num: int, units: int, where: str) -> None:
    """Refuse a number of heads that is no integer or does not divide the feature size."""
    if as_integer("head_num", head_num) < 1 or units % head_num != 0:
        raise ValueError(
            f"`head_num` must divide the feature size in {where}. "
            f"Received: head_num={head_num}, feature size={units}."
        )


def check_is_no_table(name: str, texts: Any) -> None:
    """Refuse a table in place of texts: what it holds first are the names of its columns."""
    if isinstance(texts, Mapping):
        column = "texts['text'], or list(texts) for its keys"
    elif hasattr(texts, "columns") and (hasattr(texts, "iloc") or hasattr(texts, "__dataframe__")):
        column = "df['text']"  # of pandas or the like
    else:
        return
    raise TypeError(
        f"{name} is a table: pass one of its columns, such as {column}. "
        f"Received: a {type(texts).__name__}."
    )


def check_path(name: str, path: Any) -> None:
    """Refuse what is no path."""
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"`{name}` must be a path. Received: {describe(path)}.")


def check_on_disk(path: str | os.PathLike[str]) -> None:
    """Refuse a pipe, a socket or a device: reading it might never end.

    A folder and what is not there are left to `open`.
    """
    mode = os.stat(path).st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        kind = "a pipe" if stat.S_ISFIFO(mode) else "a socket or a device"
        raise OSError(f"{os.fspath(path)} must be a file on disk. Received: {kind}.")


def describe(value: Any) -> str:
    """Show a value and its type in an error message."""
    return f"{shorten(value)} ({type(value).__name__})"


def shorten(value: Any) -> str:
    """Show a value in an error message, the beginning of a long one."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
