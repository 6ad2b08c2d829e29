"""What several of the programs need. Each runs as a file, so Python finds this one beside it."""

from __future__ import annotations

import gc
import resource
import sys
import time


def serve(act) -> None:
    """Call `act(*words)` for every line of words on standard input, until that ends.

    Each turn is answered by a line on standard output: its seconds, the largest resident memory of
    this process in KiB, and the numbers that `act` returned, if any.
    """
    for line in sys.stdin:
        start = time.perf_counter()
        numbers = act(*line.split()) or ()
        seconds = time.perf_counter() - start
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print("turn", seconds, memory, *numbers, flush=True)


def set_policy(policy: str) -> None:
    """Set the dtype policy of the Keras that keras_bert runs on, before a model is built."""
    from keras_bert.backend import TF_KERAS, keras

    if TF_KERAS:
        keras.mixed_precision.set_global_policy(policy)
    else:
        keras.config.set_dtype_policy(policy)


def read_texts(path: str) -> list[str]:
    """The text of every line; what follows a tab is ignored."""
    with open(path, encoding="utf-8") as file:
        return [line.split("\t")[0].strip() for line in file]


def texts_for_turns(path: str, count: int, first_sight: bool):
    """For each turn, without end, texts of a file: the same, or those that no turn has had yet."""
    texts = read_texts(path)
    first = 0
    while True:
        if len(texts) < first + count:
            sys.exit(f"{path} has {len(texts)} texts; turn {first // count} needs {first + count}.")
        yield texts[first : first + count]
        first += count * first_sight


def processor_seconds(encode, texts) -> float:
    """Processor time for encoding all texts, without collecting garbage meanwhile."""
    gc.collect()
    gc.disable()
    start = time.process_time()
    results = [encode(text) for text in texts]
    seconds = time.process_time() - start
    gc.enable()
    del results  # only now: to free them is no part of encoding
    return seconds
