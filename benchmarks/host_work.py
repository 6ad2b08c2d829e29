"""What `extract_embeddings` itself takes for a text: without tokenizer and model.

    python benchmarks/host_work.py --texts FILE

FILE holds a text in every line; what follows a tab is ignored. The model's answers are zeros and
the tokens are known before; printed is the median time for sorting, batches and results, in the
order of calls for CPUs and in that for accelerators.
"""

import argparse
import statistics
import time
from pathlib import Path

import numpy as np

from keras_bert import get_checkpoint_paths, load_tokenizer, load_trained_model_from_checkpoint
from keras_bert.extraction import pipeline


class NoModel:
    """A predictor that answers at once."""

    threads = 1

    def call(self, inputs):
        return np.zeros((len(inputs[0]), 128), "float32")

    def fetch(self, outputs):
        return outputs


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--count", type=int, default=6144)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    lines = options.texts.read_text("utf-8").splitlines()[: options.count]
    texts = [line.partition("\t")[0] for line in lines]
    paths = get_checkpoint_paths("tiny")
    model = load_trained_model_from_checkpoint(paths.config, paths.checkpoint, seq_len=None)
    tokenizer = load_tokenizer(paths.vocab)
    rows = [tokenizer._encode(text, None, 512) for text in texts]
    pipe = pipeline.Pipeline(model, tokenizer, poolings=["POOL_AVE"])
    pipe._predictor = NoModel()
    for device in ("CPU", "accelerator"):
        pipeline.on_accelerator = lambda device=device: device == "accelerator"
        seconds = []
        for _ in range(options.rounds):
            known = iter(rows)
            tokenizer._encode = lambda *_, known=known: next(known)
            started = time.perf_counter()
            count = sum(1 for _ in pipe(texts))
            seconds.append((time.perf_counter() - started) / count)
        print(f"{device}: {1e6 * statistics.median(seconds):.1f} µs a text, of {count}")


if __name__ == "__main__":
    main()
