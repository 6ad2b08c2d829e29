"""keras_bert, this version or 0.89, makes vectors by `extract_embeddings`; see extraction.py."""

import sys

import numpy as np
from shared import read_texts, serve, set_policy

from keras_bert import (
    POOL_AVE,
    extract_embeddings,
    get_checkpoint_paths,
    load_trained_model_from_checkpoint,
    load_vocabulary,
)

folder, texts_file, count, dtype, length, vectors_file = sys.argv[1:]
texts = read_texts(texts_file)[: int(count)]
if dtype == "bfloat16":
    set_policy(dtype)
paths = get_checkpoint_paths(folder)
seq_len = None if length == "any" else int(length)
model = load_trained_model_from_checkpoint(paths.config, paths.checkpoint, seq_len=seq_len)
if dtype == "int8":
    model.quantize("int8")
vocabulary = load_vocabulary(paths.vocab)


def extract():
    np.save(vectors_file, np.stack(extract_embeddings(model, texts, POOL_AVE, vocabulary)))


serve(extract)
