"""Transformers on PyTorch: import, loading and a first prediction; see loading.py."""

import sys
import time

import numpy as np
from shared import serve

(folder,) = sys.argv[1:]
tokens = np.array([[101, 1000, 2000, 3000, 4000, 5000, 6000, 102]])


def start_up():
    begin = time.perf_counter()
    import torch
    from transformers import BertModel

    imported = time.perf_counter()
    model = BertModel.from_pretrained(folder).eval()
    loaded = time.perf_counter()
    with torch.inference_mode():
        model(torch.as_tensor(tokens)).last_hidden_state.numpy()
    return imported - begin, loaded - imported, time.perf_counter() - loaded


serve(start_up)
