"""Refuses HDF5 files in which what should be a list is a ring, which libhdf5 follows without end.

Two lists have no length of their own: the free blocks of a heap, which holds the names in a group,
and the nodes of a tree, each of which has a right neighbour. Heaps and trees are where a group says
they are, and begin with a word; so every such word in the file is looked at.

Source: HDF5 File Format Specification, sections II, III.A.1 and III.D.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from .errors import CheckpointError

_HEAP, _TREE = b"HEAP", b"TREE"
_SUPERBLOCK_SIZE = 16  # as much of it as is looked at
_HEAD = struct.Struct("<8xQQQ")  # of heaps: size, first free block, address; of trees: left, right
_ADDRESS = struct.Struct("<Q")
_NO_BLOCK = 1
_MOST_STEPS = 300_000  # a file of 100,000 groups, the most that are read, has fewer
_SEARCHED_AT_ONCE = 1 << 20


def check_rings(path: Path) -> None:
    """Raise `CheckpointError` if a list in the file is a ring, or endless to all intents."""
    length = os.stat(path).st_size
    steps = 0
    neighbours: set[int] = set()  # nodes from which every list has been followed

    def follow(address: int, following: Callable[[int], int], known: set[int]) -> set[int]:
        nonlocal steps
        passed: set[int] = set()
        while 0 <= address < length and address not in known:
            steps += 1
            if address in passed or steps > _MOST_STEPS:
                raise CheckpointError("it is damaged: a list in its directory makes a ring")
            passed.add(address)
            address = following(address)
        return passed

    with open(path, "rb") as stream:

        def numbers(address: int, layout: struct.Struct) -> tuple[int, ...]:
            stream.seek(address)
            return layout.unpack(stream.read(layout.size).ljust(layout.size, b"\xff"))

        def right(node: int) -> int:
            return numbers(node, _HEAD)[1]

        start = stream.read(_SUPERBLOCK_SIZE).ljust(_SUPERBLOCK_SIZE, b"\0")
        sizes = start[13:15] if start[8] < 2 else start[9:11]
        if tuple(sizes) != (8, 8):
            raise CheckpointError(
                "it is damaged, or no HDF5 file (addresses and sizes of other than 8 bytes)"
            )
        for position, word in _words(stream):
            if word == _TREE:
                neighbours |= follow(position, right, neighbours)
                continue
            size, free, data = numbers(position, _HEAD)

            def next_free(block: int, data: int = data, size: int = size) -> int:
                (free,) = numbers(block, _ADDRESS)
                return data + free if free != _NO_BLOCK and free < size else length

            if free != _NO_BLOCK and free < size:
                follow(data + free, next_free, set())


def _words(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Find where the words stand in a file, without mapping its pages."""
    start = 0
    while True:
        stream.seek(start)
        piece = stream.read(_SEARCHED_AT_ONCE)
        for word in (_HEAP, _TREE):
            found = piece.find(word)
            while found >= 0:
                yield start + found, word
                found = piece.find(word, found + 1)
        if len(piece) < _SEARCHED_AT_ONCE:
            return
        start += len(piece) - len(_HEAP) + 1
