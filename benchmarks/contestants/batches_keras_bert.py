"""keras_bert, this version or 0.89, makes a batch for pretraining; see batches.py."""

import random
import sys
import time

import numpy as np
from shared import serve

from keras_bert import TOKEN_MASK, gen_batch_inputs, get_base_dict

batch, length, size = map(int, sys.argv[1:])
vocabulary = get_base_dict()
special = len(vocabulary)
for index in range(size - special):
    vocabulary[f"token{index}"] = len(vocabulary)
tokens = list(vocabulary)
random.seed(0)
np.random.seed(0)
half = (length - 3) // 2
# Zipf's law: the frequency of a word falls with its rank.
weights = [1 / rank for rank in range(1, size - special + 1)]
pairs = [
    [random.choices(tokens[special:], weights, k=half) for _ in range(2)] for _ in range(batch)
]


def make_batch():
    """Returns seconds of processor time and the shares that batches.py prints."""
    start = time.process_time()
    inputs, outputs = gen_batch_inputs(pairs, vocabulary, tokens, seq_len=length)
    seconds = time.process_time() - start
    ids, _, marks = map(np.asarray, inputs)
    originals, swapped = np.asarray(outputs[0])[..., 0], np.mean(outputs[1])
    marked = marks == 1
    masked = ids == vocabulary[TOKEN_MASK]
    replaced = (ids != originals) & ~masked
    return seconds, marked.mean(), masked[marked].mean(), replaced[marked].mean(), swapped


serve(make_batch)
