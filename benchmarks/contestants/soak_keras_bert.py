"""Calls, loads and words without end: `JOB COUNT` repeats a job; answers the memory in MiB."""

from __future__ import annotations

import gc
import itertools
import os
import random

import numpy as np
from shared import serve

from keras_bert import (
    POOL_AVE,
    PretrainedList,
    Tokenizer,
    extract_embeddings,
    get_checkpoint_paths,
    get_pretrained,
    load_trained_model_from_checkpoint,
    load_vocabulary,
)

paths = get_checkpoint_paths(get_pretrained(PretrainedList.tiny))
vocabulary = load_vocabulary(paths.vocab)
tokenizer = Tokenizer(vocabulary)
numbers = itertools.count()
chooser = random.Random(0)


def load():
    return load_trained_model_from_checkpoint(paths.config, paths.checkpoint, seq_len=None)


model = load()


def predict_on_batch() -> None:
    ids = np.full((1, chooser.randint(2, 64)), 5, "int32")
    model.predict_on_batch([ids, np.zeros_like(ids)])


def extract_one_text() -> None:
    text = "the ship left the harbour " * chooser.randint(1, 10)
    extract_embeddings(model, [text], POOL_AVE, vocabulary)


def load_and_delete() -> None:
    model = load()
    ids = np.full((1, 8), 5, "int32")
    model.predict_on_batch([ids, np.zeros_like(ids)])
    del model
    gc.collect()


def tokenize_new_word() -> None:
    tokenizer.encode(f"word{next(numbers):x}")


JOBS = {
    each.__name__: each
    for each in (predict_on_batch, extract_one_text, load_and_delete, tokenize_new_word)
}


def act(job: str, count: str) -> list[float]:
    for _ in range(int(count)):
        JOBS[job]()
    gc.collect()
    with open("/proc/self/statm", encoding="ascii") as file:
        resident = int(file.read().split()[1])
    return [resident * os.sysconf("SC_PAGE_SIZE") / 2**20]


serve(act)
