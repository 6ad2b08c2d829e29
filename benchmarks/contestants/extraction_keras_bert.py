"""keras_bert, this version or 0.89, makes vectors by `extract_embeddings`; see extraction.py."""

import sys

import numpy as np
from shared import serve, set_policy, texts_for_turns

from keras_bert import (
    POOL_AVE,
    extract_embeddings,
    get_checkpoint_paths,
    load_trained_model_from_checkpoint,
    load_vocabulary,
)

folder, texts_file, count, first_sight, dtype, given, length, vectors_file = sys.argv[1:]
turns = texts_for_turns(texts_file, int(count), first_sight == "True")
if dtype == "bfloat16":
    set_policy(dtype)
paths = get_checkpoint_paths(folder)
vocabulary = load_vocabulary(paths.vocab)
seq_len = None if length == "any" else int(length)
model = load_trained_model_from_checkpoint(paths.config, paths.checkpoint, seq_len=seq_len)
if dtype == "int8":
    model.quantize("int8")
if given == "folder":
    model = vocabulary = None


def extract():
    vectors = extract_embeddings(model or folder, next(turns), POOL_AVE, vocabulary)
    np.save(vectors_file, np.stack(vectors))


serve(extract)
