"""map_in_threads: what `map` gives, by several threads."""

import subprocess
import sys
import threading

import pytest
from runtimes import once

from keras_bert.extraction.threads import map_in_threads

pytestmark = once


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_results_come_in_order(threads, count):
    assert list(map_in_threads(lambda item: item**2, range(count), threads)) == [
        item**2 for item in range(count)
    ]


def test_two_are_computed_at_a_time():
    both = threading.Barrier(2, timeout=10)  # which neither passes alone
    assert list(map_in_threads(lambda _: both.wait() >= 0, range(6), 2)) == [True] * 6


@pytest.mark.parametrize(("count", "threads"), [(2, 1), (1, 2)])
def test_one_thread_is_the_callers(count, threads):
    found = list(map_in_threads(lambda _: threading.current_thread(), range(count), threads))
    assert found == [threading.main_thread()] * count


@pytest.mark.slow
def test_while_the_interpreter_ends_no_thread_is_needed():
    program = """
import threading
from keras_bert.extraction.threads import map_in_threads
def work():
    threading.main_thread().join()
    print(list(map_in_threads(str, range(4), 2)), flush=True)
threading.Thread(target=work).start()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "['0', '1', '2', '3']\n", done.stderr


def test_items_are_taken_in_the_callers_thread_and_no_further_than_needed():
    taken = []

    def items():
        for item in range(100):
            taken.append(threading.current_thread())
            yield item

    results = map_in_threads(str, items(), 2)
    assert next(results) == "0"
    assert taken == [threading.main_thread()] * 3
    results.close()
    assert len(taken) == 3


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_comes_in_the_place_of_its_item(threads):
    results = map_in_threads(lambda item: 6 // item, [3, 2, 0, 1], threads)
    assert [next(results), next(results)] == [2, 3]
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert not [each for each in threading.enumerate() if "ThreadPool" in each.name]
