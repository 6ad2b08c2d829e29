"""keras-bert 0.89 encodes the texts of a JSON file; see tokenizer.py."""

import json
from pathlib import Path

from shared import processor_seconds, serve

from keras_bert import Tokenizer


def encode(job_file):
    job = json.loads(Path(job_file).read_text(encoding="ascii"))
    tokenizer = Tokenizer(job["vocabulary"], cased=job["cased"])
    return [processor_seconds(tokenizer.encode, job["texts"])]


serve(encode)
