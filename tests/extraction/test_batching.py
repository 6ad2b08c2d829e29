"""Batches of rows: little padding, few batches, results in order; the same by several threads."""

import random
import subprocess
import sys
import threading

import pytest
from runtimes import once

from keras_bert.extraction import batching


def batches(lengths, padded_length=batching.pad_to_longest, **options):
    """The shapes and row counts of the batches that rows of these lengths are computed in."""
    seen = []

    def compute(batches):
        for batch in batches:
            seen.append((batch.token_ids.shape, len(batch.lengths)))
            yield batch.token_ids[: len(batch.lengths), 0]

    rows = [([index] * length, length, 0) for index, length in enumerate(lengths)]
    results = list(batching.map_in_batches(compute, rows, padded_length, **options))
    assert results == list(zip(rows, range(len(lengths)), strict=True))
    return seen


def waste(lengths, shapes):
    return 1 - sum(lengths) / sum(rows * length for (rows, length), _ in shapes)


def test_little_padding_in_few_batches():
    """As in SST-2: 3 to 60 tokens."""
    generator = random.Random(0)
    lengths = [round(generator.triangular(3, 60, 18)) for _ in range(2000)]
    shapes = batches(lengths)
    assert waste(lengths, shapes) < 0.05
    assert len(shapes) < 1.6 * sum(lengths) / batching.CPU.tokens
    assert all(rows * length <= batching.CPU.tokens for (rows, length), _ in shapes)


def test_a_few_long_rows_do_not_pad_the_short_ones():
    assert batches([500, 500, 10, 10, 10]) == [((2, 500), 2), ((3, 10), 3)]


@pytest.mark.parametrize("options", [{}, {"few_shapes": True}])
def test_where_all_are_padded_alike_batches_are_full(options):
    shapes = batches([500, 20, 10, 5], batching.pad_to(512), **options)
    assert shapes == [((4, 512), 4)]


def test_few_shapes():
    lengths = random.Random(0).choices(range(1, 65), k=300)
    shapes = batches(lengths, batching.pad_to_bucket(512), few_shapes=True)
    assert all(length % 8 == 0 for (_, length), _ in shapes)
    full = {length: batching.CPU.tokens // length for (_, length), _ in shapes}
    for (rows, length), _ in shapes:
        assert rows == full[length] or rows & (rows - 1) == 0  # a power of two


def test_batch_size_is_the_most():
    shapes = batches([7] * 10, batch_size=4)
    assert [rows for (rows, _), _ in shapes] == [4, 4, 2]


@once
@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_results_come_in_order(threads, count):
    assert list(batching.map_in_threads(lambda item: item**2, range(count), threads)) == [
        item**2 for item in range(count)
    ]


@once
def test_two_are_computed_at_a_time():
    both = threading.Barrier(2, timeout=10)  # which neither passes alone
    assert list(batching.map_in_threads(lambda _: both.wait() >= 0, range(6), 2)) == [True] * 6


@once
@pytest.mark.parametrize(("count", "threads"), [(2, 1), (1, 2)])
def test_one_thread_is_the_callers(count, threads):
    found = list(
        batching.map_in_threads(lambda _: threading.current_thread(), range(count), threads)
    )
    assert found == [threading.main_thread()] * count


@once
@pytest.mark.slow
def test_while_the_interpreter_ends_no_thread_is_needed():
    program = """
import threading
from keras_bert.extraction.batching import map_in_threads
def work():
    threading.main_thread().join()
    print(list(map_in_threads(str, range(4), 2)), flush=True)
threading.Thread(target=work).start()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "['0', '1', '2', '3']\n", done.stderr


@once
def test_items_are_taken_in_the_callers_thread_and_no_further_than_needed():
    taken = []

    def items():
        for item in range(100):
            taken.append(threading.current_thread())
            yield item

    results = batching.map_in_threads(str, items(), 2)
    assert next(results) == "0"
    assert taken == [threading.main_thread()] * 3
    results.close()
    assert len(taken) == 3


@once
@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_comes_in_the_place_of_its_item(threads):
    results = batching.map_in_threads(lambda item: 6 // item, [3, 2, 0, 1], threads)
    assert [next(results), next(results)] == [2, 3]
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert not [each for each in threading.enumerate() if "ThreadPool" in each.name]
