"""An interpreter for the pickles in PyTorch files that can do nothing but describe tensors.

A pickle is a program: unpickling imports and calls whatever it names. Here its instructions are
followed one by one, and the only functions it can name are the few in `_GLOBALS`, which are
ours. Any other name is an error, nothing is ever imported, and PyTorch is not needed.

Source: CPython, `Lib/pickletools.py`; PyTorch, `torch/serialization.py`, `torch/_utils.py`.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable, Iterable
from typing import Any

from . import torch_tensors
from .errors import CheckpointError
from .torch_tensors import STORAGE_DTYPES, Storage, StorageType, Tensor

_ADVICE = "In PyTorch, save the weights alone: torch.save(model.state_dict(), path)"
# Far beyond any state dict: 20 thousand instructions and names of 100 letters are usual.
_MAXIMUM_INSTRUCTIONS = 500_000
_MAXIMUM_STRING = 1 << 16


def _ordered_dict(items: Any = None) -> dict:
    if items is None:
        return {}
    made = _set_items({}, _expect(items, list))
    # A list used again and again would fill any memory from a small file: the second use fails.
    items[:] = [None]
    return made


_GLOBALS: dict[tuple[str, str], Callable | StorageType] = {
    ("collections", "OrderedDict"): _ordered_dict,
    ("torch._utils", "_rebuild_tensor"): torch_tensors.rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): torch_tensors.rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): torch_tensors.rebuild_parameter,
    **{("torch", name): StorageType(dtype) for name, dtype in STORAGE_DTYPES.items()},
}


class Unpickler:
    """Runs the pickle that begins at `position`, which afterwards is the position after its end.

    Attributes:
        storages: The storages it named, by key.
        tensors: The tensors it made.
    """

    def __init__(self, data: memoryview, position: int = 0):
        self.data = data
        self.position = position
        self.storages: dict[str, Storage] = {}
        self.tensors: list[Tensor] = []
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}

    def run(self) -> Any:
        """Follow the instructions to the end and return the object they make.

        Damage may also raise IndexError, KeyError, ValueError or struct.error.
        """
        for _ in range(_MAXIMUM_INSTRUCTIONS):
            (code,) = self._take("B")
            if code == pickle.STOP[0]:
                return self._stack.pop()
            instruction = _INSTRUCTIONS.get(code)
            if instruction is None:
                raise CheckpointError(
                    f"its pickle holds the instruction {code:#04x}, of which a file of weights "
                    f"has no need, or is damaged. {_ADVICE}"
                )
            instruction(self)
        raise CheckpointError("its pickle is too long for a file of weights")

    def _take(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from(f"<{layout}", self.data, self.position)
        self.position += struct.calcsize(f"<{layout}")
        return values

    def _take_bytes(self, size: int) -> bytes:
        if size > min(_MAXIMUM_STRING, len(self.data) - self.position):
            raise CheckpointError("its pickle is damaged: a string is too long")
        self.position += size
        return bytes(self.data[self.position - size : self.position])

    def _take_line(self) -> str:
        rest = bytes(self.data[self.position : self.position + _MAXIMUM_STRING])
        line = rest[: rest.index(b"\n")]
        self.position += len(line) + 1
        return line.decode("utf-8")

    def _pop(self, count: int) -> list[Any]:
        return [self._stack.pop() for _ in range(count)][::-1]

    def _pop_to_mark(self) -> list[Any]:
        start = self._marks.pop()
        items = self._stack[start:]
        del self._stack[start:]
        return items

    # Instructions. Values go on the stack, and onto the memo to be used again.

    def _push_number(self, layout: str) -> None:
        self._stack.extend(self._take(layout))

    def _push_float(self) -> None:
        # The one big-endian number among them.
        self._stack.extend(struct.unpack(">d", self._take_bytes(8)))

    def _push_long(self) -> None:
        (size,) = self._take("B")
        self._stack.append(int.from_bytes(self._take_bytes(size), "little", signed=True))

    def _push_text(self, size_layout: str) -> None:
        (size,) = self._take(size_layout)
        self._stack.append(self._take_bytes(size).decode("utf-8"))

    def _push_mark(self) -> None:
        self._marks.append(len(self._stack))

    def _push_tuple(self, items: list[Any]) -> None:
        self._stack.append(tuple(items))

    def _put(self, layout: str) -> None:
        (index,) = self._take(layout)
        self._memo[index] = self._stack[-1]

    def _memoize(self) -> None:
        self._memo[len(self._memo)] = self._stack[-1]

    def _get(self, layout: str) -> None:
        (index,) = self._take(layout)
        self._stack.append(self._memo[index])

    def _append(self, items: list[Any]) -> None:
        _expect(self._stack[-1], list).extend(items)

    def _set_items(self, items: list[Any]) -> None:
        _set_items(self._stack[-1], zip(items[::2], items[1::2], strict=True))

    def _push_global_from_lines(self) -> None:
        self._push_global(self._take_line(), self._take_line())

    def _push_global(self, module: Any, name: Any) -> None:
        found = _GLOBALS.get((_expect(module, str), _expect(name, str)))
        if found is None:
            asked = ascii(f"{module}.{name}"[:100])
            raise CheckpointError(
                f"its pickle asks for {asked}. Only plain dictionaries of tensors are read, and "
                f"nothing in the file has been run. {_ADVICE}"
            )
        self._stack.append(found)

    def _call(self) -> None:
        function, arguments = self._pop(2)
        if function not in _GLOBALS.values() or isinstance(function, StorageType):
            raise CheckpointError("its pickle is damaged: it calls what is no function")
        try:
            result = function(*_expect(arguments, tuple))
        except TypeError as error:
            raise CheckpointError("its pickle is damaged: a call has wrong arguments") from error
        if isinstance(result, Tensor):
            self.tensors.append(result)
        self._stack.append(result)

    def _set_state(self) -> None:
        # PyTorch hangs version notes ("_metadata") onto state dicts; they are of no use here.
        self._stack.pop()
        _expect(self._stack[-1], dict)

    def _push_storage(self) -> None:
        # ('storage', type, key, device, count), and in the old format a sixth item, None.
        kind, storage_type, key, _, count, *view = _expect(self._stack.pop(), tuple)
        if kind != "storage" or not isinstance(storage_type, StorageType) or any(view):
            raise CheckpointError("its pickle refers to something that is no plain storage")
        storage = Storage(_expect(key, str), storage_type.dtype, _expect(count, int))
        if self.storages.setdefault(key, storage) != storage:
            raise CheckpointError(f"its pickle is damaged: it describes storage {key} twice")
        self._stack.append(storage)


def _expect(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise CheckpointError(
            f"its pickle is damaged: {type(value).__name__} where {kind.__name__} belongs"
        )
    return value


def _set_items(target: Any, items: Iterable[tuple[Any, Any]]) -> Any:
    for key, value in items:
        # Only simple keys: hashing a tuple of tuples can take for ever.
        if not isinstance(key, str | int | float | None):
            raise CheckpointError(f"its pickle has a dictionary key of type {type(key).__name__}")
        _expect(target, dict)[key] = value
    return target


_INSTRUCTIONS: dict[int, Callable[[Unpickler], Any]] = {
    code[0]: instruction
    for code, instruction in {
        pickle.PROTO: lambda machine: machine._take("B"),
        pickle.FRAME: lambda machine: machine._take("Q"),
        pickle.NONE: lambda machine: machine._stack.append(None),
        pickle.NEWTRUE: lambda machine: machine._stack.append(True),
        pickle.NEWFALSE: lambda machine: machine._stack.append(False),
        pickle.BININT: lambda machine: machine._push_number("i"),
        pickle.BININT1: lambda machine: machine._push_number("B"),
        pickle.BININT2: lambda machine: machine._push_number("H"),
        pickle.LONG1: Unpickler._push_long,
        pickle.BINFLOAT: Unpickler._push_float,
        # Strings of Python 2 and 3.
        pickle.SHORT_BINSTRING: lambda machine: machine._push_text("B"),
        pickle.BINSTRING: lambda machine: machine._push_text("I"),
        pickle.SHORT_BINUNICODE: lambda machine: machine._push_text("B"),
        pickle.BINUNICODE: lambda machine: machine._push_text("I"),
        pickle.MARK: Unpickler._push_mark,
        pickle.EMPTY_TUPLE: lambda machine: machine._push_tuple([]),
        pickle.TUPLE1: lambda machine: machine._push_tuple(machine._pop(1)),
        pickle.TUPLE2: lambda machine: machine._push_tuple(machine._pop(2)),
        pickle.TUPLE3: lambda machine: machine._push_tuple(machine._pop(3)),
        pickle.TUPLE: lambda machine: machine._push_tuple(machine._pop_to_mark()),
        pickle.EMPTY_LIST: lambda machine: machine._stack.append([]),
        pickle.APPEND: lambda machine: machine._append(machine._pop(1)),
        pickle.APPENDS: lambda machine: machine._append(machine._pop_to_mark()),
        pickle.EMPTY_DICT: lambda machine: machine._stack.append({}),
        pickle.SETITEM: lambda machine: machine._set_items(machine._pop(2)),
        pickle.SETITEMS: lambda machine: machine._set_items(machine._pop_to_mark()),
        pickle.BINPUT: lambda machine: machine._put("B"),
        pickle.LONG_BINPUT: lambda machine: machine._put("I"),
        pickle.MEMOIZE: Unpickler._memoize,
        pickle.BINGET: lambda machine: machine._get("B"),
        pickle.LONG_BINGET: lambda machine: machine._get("I"),
        pickle.GLOBAL: Unpickler._push_global_from_lines,
        pickle.STACK_GLOBAL: lambda machine: machine._push_global(*machine._pop(2)),
        pickle.REDUCE: Unpickler._call,
        pickle.BUILD: Unpickler._set_state,
        pickle.BINPERSID: Unpickler._push_storage,
    }.items()
}
