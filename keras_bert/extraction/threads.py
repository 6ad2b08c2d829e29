"""Work that is done by several threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain, islice


def map_in_threads(function: Callable, items: Iterable, threads: int) -> Iterator:
    """`map` by a number of threads, which begin as many items more than have been asked for.

    Items are taken in the caller's thread, and a single one is computed there. An error reaches the
    caller in the place of its item, and where the caller stops, no further item is begun.
    """
    items = iter(items)
    first = list(islice(items, 2))
    if threads == 1 or len(first) < 2:
        yield from map(function, chain(first, items))
        return
    pool, begun = ThreadPoolExecutor(threads), deque()
    try:
        for item in chain(first, items):
            try:
                result = pool.submit(function, item).result
            except RuntimeError:  # the interpreter is ending and begins no threads
                result = partial(function, item)
            begun.append(result)
            if len(begun) > threads:
                yield begun.popleft()()
        while begun:
            yield begun.popleft()()
    finally:
        pool.shutdown(cancel_futures=True)
