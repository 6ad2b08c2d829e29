"""sentence-transformers makes vectors by `encode`; see extraction.py."""

import sys

import numpy as np
from sentence_transformers import SentenceTransformer
from shared import serve, texts_for_turns

folder, texts_file, count, first_sight, dtype, vectors_file = sys.argv[1:]
turns = texts_for_turns(texts_file, int(count), first_sight == "True")
model = SentenceTransformer(folder, model_kwargs={"dtype": dtype})
# As keras_bert cuts texts; MiniLM's folder says 256.
model.max_seq_length = model[0].auto_model.config.max_position_embeddings


def extract():
    vectors = model.encode(next(turns), convert_to_tensor=True)  # NumPy has no bfloat16
    np.save(vectors_file, vectors.float().cpu().numpy())


serve(extract)
