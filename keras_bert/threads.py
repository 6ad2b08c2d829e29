"""How many cores a process computes on, and work that is done by several threads."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain, islice

from .arguments import as_size
from .backend import ENGINE


def limit_threads(count: int) -> None:
    """Let the runtime of this process compute with a number of threads, not one per core.

    TensorFlow and JAX make their threads once: call this before anything is computed.

    Args:
        count: Number of threads.

    Raises:
        RuntimeError: If TensorFlow has already computed something with another number.
    """
    count = as_size("threads", count)
    if ENGINE == "tensorflow":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(count)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    elif ENGINE == "torch":
        import torch

        torch.set_num_threads(count)
    else:
        # JAX has no option for it. XLA's CPU client reads this variable when it is made
        # (DefaultThreadPoolSize in xla/pjrt/cpu/cpu_client.cc).
        os.environ["NPROC"] = str(count)


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
