"""sentence-transformers makes vectors by `encode`; see extraction.py."""

import sys

import numpy as np
from sentence_transformers import SentenceTransformer
from shared import read_texts, serve

folder, texts_file, count, dtype, vectors_file = sys.argv[1:]
texts = read_texts(texts_file)[: int(count)]
model = SentenceTransformer(folder, model_kwargs={"dtype": dtype})


def extract():
    vectors = model.encode(texts, convert_to_tensor=True)  # NumPy has no bfloat16
    np.save(vectors_file, vectors.float().cpu().numpy())


serve(extract)
