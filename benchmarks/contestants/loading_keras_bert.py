"""keras_bert, this version or 0.89: import, loading and a first prediction; see loading.py."""

import sys
import time

import numpy as np
from shared import serve

(folder,) = sys.argv[1:]
tokens = np.array([[101, 1000, 2000, 3000, 4000, 5000, 6000, 102]])


def start_up():
    begin = time.perf_counter()
    from keras_bert import get_checkpoint_paths, load_trained_model_from_checkpoint

    imported = time.perf_counter()
    paths = get_checkpoint_paths(folder)
    model = load_trained_model_from_checkpoint(paths.config, paths.checkpoint, seq_len=None)
    loaded = time.perf_counter()
    np.asarray(model.predict_on_batch([tokens, np.zeros_like(tokens)]))
    return imported - begin, loaded - imported, time.perf_counter() - loaded


serve(start_up)
