"""How close every family and kind of file is to the programs that write such files.

    python benchmarks/families.py

Small models with random weights far from what training begins with, padded texts and pairs. Files
of PyTorch are written, and all numbers computed, by the transformers that is installed; Google's
are written by TensorFlow's Saver from the same weights. Files of TensorFlow 2, which these versions
no longer write, are those in tests/data, with what transformers 4.49 and tf-models-official 2.20
computed. Every folder is loaded on all four runtimes. Printed is the largest difference, over the
runtimes, of the features of all layers and of the heads' probabilities.

Exits with an error where a number differs by more than 1e-5.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

# Python does so itself, but not under PYTHONSAFEPATH, which CI sets.
sys.path.append(str(Path(__file__).resolve().parent))

from differences import largest
from turns import RUNTIMES, print_table, run_on

KINDS = {
    "safetensors": "`.safetensors`",
    "shards": "the same, sharded",
    "bin": "`.bin`",
    "bin shards": "the same, sharded",
    "google": "Google's",
    "tf safetensors": "`.safetensors` of TensorFlow",
    "h5": "`tf_model.h5`",
    "object": "Model Garden",
    "hub": "SavedModel",
}
STORED = Path(__file__).resolve().parents[1] / "tests" / "data"
# Family and kind of file, and the folder with the file and what its writer computed.
STORED_FOLDERS = {
    ("BERT", "tf safetensors"): "transformers_tf/bert",
    ("BERT", "h5"): "transformers_tf/bert",
    ("BERT", "object"): "model_garden/checkpoint",
    ("BERT", "hub"): "model_garden/saved_model",
    ("ALBERT", "tf safetensors"): "transformers_tf/albert",
    ("ALBERT", "object"): "model_garden/albert",
    ("DistilBERT", "h5"): "transformers_tf/distilbert",
    ("ELECTRA", "tf safetensors"): "transformers_tf/electra",
    ("ELECTRA", "hub"): "model_garden/electra",
}
SIZES = {
    "vocab_size": 60,
    "hidden_size": 32,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 24,
}
DISTILBERT_SIZES = {
    "vocab_size": 60,
    "dim": 32,
    "n_layers": 4,
    "n_heads": 4,
    "hidden_dim": 48,
    "max_position_embeddings": 24,
}
HEADS = ("prediction_logits", "logits", "sop_logits", "seq_relationship_logits")
# From names and shapes of PyTorch to Google's.
GOOGLE_NAMES = {
    "BERT": [
        (r"^cls\.predictions\.bias$", "cls.predictions.output_bias"),
        (r"^cls\.seq_relationship\.(weight|bias)$", r"cls.seq_relationship.output_\1"),
        (r"output_weight$", "output_weights"),
        (r"layer\.(\d+)", r"layer_\1"),
    ],
    "ELECTRA": [(r"layer\.(\d+)", r"layer_\1"), (r"dense_prediction", "dense_1")],
    "ALBERT": [
        (r"^predictions\.bias$", "cls.predictions.output_bias"),
        (r"^predictions\.", "cls.predictions.transform."),
        (r"^sop_classifier\.classifier\.", "cls.seq_relationship.output_"),
        (r"output_weight$", "output_weights"),
        (r"^albert\.pooler", "bert.pooler.dense"),
        (r"^albert\.", "bert."),
        (
            r"encoder\.albert_layer_groups\.(\d+)\.albert_layers\.(\d+)",
            r"encoder.transformer.group_\1.inner_group_\2",
        ),
        (r"attention\.(query|key|value)", r"attention_1.self.\1"),
        (r"attention\.dense", "attention_1.output.dense"),
        (r"attention\.LayerNorm", "LayerNorm"),
        (r"ffn_output", "ffn_1.intermediate.output.dense"),
        (r"ffn\.", "ffn_1.intermediate.dense."),
        (r"full_layer_layer_norm", "LayerNorm_1"),
    ],
}


def models() -> Iterator[tuple[str, Callable]]:
    """Families, and functions that make a model with all its heads from a name of "gelu"."""
    import transformers as hf

    albert = {**SIZES, "embedding_size": 12, "num_hidden_groups": 2}
    yield "BERT", lambda act: hf.BertForPreTraining(hf.BertConfig(**SIZES, hidden_act=act))
    yield "ALBERT", lambda act: hf.AlbertForPreTraining(hf.AlbertConfig(**albert, hidden_act=act))
    yield (
        "ELECTRA",
        lambda act: hf.ElectraForPreTraining(
            hf.ElectraConfig(**SIZES, embedding_size=12, hidden_act=act)
        ),
    )
    yield (
        "ERNIE",
        lambda act: hf.ErnieForPreTraining(
            hf.ErnieConfig(
                **SIZES, use_task_id=True, task_type_vocab_size=5, type_vocab_size=4, hidden_act=act
            )
        ),
    )
    yield (
        "DistilBERT",
        lambda act: hf.DistilBertForMaskedLM(
            hf.DistilBertConfig(**DISTILBERT_SIZES, activation=act)
        ),
    )


def fill(model) -> None:
    import torch

    for name, parameter in model.named_parameters():
        is_scale = "norm" in name.lower() and name.endswith("weight")
        torch.nn.init.normal_(parameter, mean=float(is_scale), std=0.3)
    model.tie_weights()


def expected_of(family: str, model) -> dict[str, np.ndarray]:
    """Inputs, features of every layer and logits."""
    import torch

    random = np.random.default_rng(0)
    tokens = random.integers(5, SIZES["vocab_size"], (4, 20))
    segments = np.zeros_like(tokens)
    for row, (first, length) in enumerate([(20, 20), (5, 13), (3, 3), (12, 20)]):
        tokens[row, length:] = 0
        segments[row, first:length] = 1
    options = {} if family == "DistilBERT" else {"token_type_ids": torch.tensor(segments)}
    with torch.no_grad():
        outputs = model.eval()(
            torch.tensor(tokens),
            attention_mask=torch.tensor(tokens != 0).long(),
            output_hidden_states=True,
            **options,
        )
    hidden = torch.stack(outputs.hidden_states[1:]).numpy()
    heads = {head: outputs[head].numpy() for head in HEADS if head in outputs}
    return {"tokens": tokens, "segments": segments, "hidden": hidden, **heads}


def write_google(folder: Path, family: str, model) -> None:
    """Save the weights as the TensorFlow of Google's code does, with optimizer slots beside."""
    import tensorflow.compat.v1 as tf

    arrays = {}
    for name, tensor in model.state_dict().items():
        if name.endswith(("position_ids", "token_type_ids", "decoder.weight", "decoder.bias")):
            continue
        values = tensor.numpy()
        for pattern, replacement in GOOGLE_NAMES[family]:
            name = re.sub(pattern, replacement, name)
        if re.search(r"norm", name, re.IGNORECASE):
            name = name.replace(".weight", ".gamma").replace(".bias", ".beta")
        elif name.endswith("embeddings.weight"):
            name = name.removesuffix(".weight")
        elif name.endswith(".weight"):
            name, values = name.replace(".weight", ".kernel"), values.T
        name = name.replace(".", "/")
        arrays[name] = values
        arrays[f"{name}/adam_m"] = np.zeros_like(values)
    with tf.Graph().as_default(), tf.Session() as session:
        variables = [tf.Variable(values, name=name) for name, values in arrays.items()]
        session.run(tf.global_variables_initializer())
        prefix = {"ALBERT": "model.ckpt-best"}.get(family, "bert_model.ckpt")
        tf.train.Saver(variables).save(session, str(folder / prefix), write_meta_graph=False)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").unlink()
    for key in ("model_type", "architectures", "transformers_version", "layer_norm_eps"):
        config.pop(key, None)
    name = {"ALBERT": "albert_config.json"}.get(family, "bert_config.json")
    (folder / name).write_text(json.dumps({**config, "hidden_act": "gelu"}), "utf-8")


def write_folders(scratch: Path) -> dict[tuple[str, str], Path]:
    """Every family in every kind of file that today's transformers, or a Saver, can write."""
    import torch

    torch.manual_seed(0)
    folders = {}
    for family, make in models():
        for act, kinds in {
            "gelu": ["safetensors", "shards", "bin", "bin shards"],
            "gelu_new": ["google"] if family in GOOGLE_NAMES else [],
        }.items():
            model = make(act)
            fill(model)
            expected = expected_of(family, model)
            for kind in kinds:
                folder = folders[family, kind] = scratch / f"{family} {kind}"
                write_kind(folder, family, kind, model)
                np.savez(folder / "outputs.npz", **expected)
    return folders


def write_kind(folder: Path, family: str, kind: str, model) -> None:
    import torch

    model.save_pretrained(folder, **({"max_shard_size": "20KB"} if kind == "shards" else {}))
    if kind in ("safetensors", "shards"):
        return
    (folder / "model.safetensors").unlink()
    if kind == "google":
        write_google(folder, family, model)
        return
    state = dict(model.state_dict())
    parts = [state] if kind == "bin" else [dict(list(state.items())[half::2]) for half in (0, 1)]
    files = ["pytorch_model.bin"]
    if kind == "bin shards":
        files = [f"pytorch_model-0000{number}-of-00002.bin" for number in (1, 2)]
        holders = {name: file for part, file in zip(parts, files, strict=True) for name in part}
        index = json.dumps({"metadata": {}, "weight_map": holders})
        (folder / "pytorch_model.bin.index.json").write_text(index, "utf-8")
    for part, file in zip(parts, files, strict=True):
        torch.save(part, folder / file)


def compare(folders: list[dict]) -> list[float]:
    """The largest difference of this process's runtime, for each folder."""
    made: dict = {}
    return [largest_difference(made, **each) for each in folders]


def largest_difference(made: dict, folder: str, file: str | None, like: str) -> float:
    """Load both models of a folder; those `made` of a folder like it just get its weights."""
    from keras_bert import (
        get_checkpoint_paths,
        load_model_weights_from_checkpoint,
        load_trained_model_from_checkpoint,
    )
    from keras_bert.families.configuration import read_config

    paths = get_checkpoint_paths(folder)
    checkpoint = str(Path(folder, file)) if file else paths.checkpoint
    with np.load(Path(folder, "outputs.npz")) as outputs:
        outputs = dict(outputs)
    tokens = outputs["tokens"]
    inputs, text = [tokens, outputs["segments"]], tokens != 0

    def predict(training, **options):
        if (like, training) in made:
            model = made[like, training]
            load_model_weights_from_checkpoint(
                model, read_config(paths.config), checkpoint, training
            )
        else:
            model = made[like, training] = load_trained_model_from_checkpoint(
                paths.config, checkpoint, training, seq_len=None, **options
            )
        found = model.predict([*inputs, np.ones_like(tokens)][: len(model.inputs)], verbose=0)
        return found if isinstance(found, list) else [found]

    (features,) = predict(False, output_layer_num=len(outputs["hidden"]))
    differences = [(features - np.concatenate(outputs["hidden"], axis=-1))[text]]
    expected = [probabilities(outputs[head]) for head in HEADS if head in outputs]
    if expected:
        heads = predict(True)
        differences.append((heads[0] - expected[0])[text])
        pairs = zip(heads[1:], expected[1:], strict=True)
        differences += [mine - theirs for mine, theirs in pairs]
    return largest(differences)


def probabilities(logits: np.ndarray) -> np.ndarray:
    if logits.ndim == 2 and logits.shape[-1] != 2:  # one for each token: replaced or not
        return 1 / (1 + np.exp(-logits))
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--by-runtime", action="store_true", help="print a row for each runtime")
    parser.add_argument("--compare", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.compare:
        print(json.dumps(compare(arguments.compare)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folders = write_folders(Path(scratch))
        folders |= {key: STORED / folder for key, folder in STORED_FOLDERS.items()}
        # Where two kinds lie in one folder.
        files = {"h5": "tf_model.h5", "tf safetensors": "model.safetensors"}
        alike = dict.fromkeys(["shards", "bin", "bin shards"], "safetensors")
        given = [
            {
                "folder": str(folder),
                "file": files.get(kind),
                "like": f"{family} {alike.get(kind, kind)}",
            }
            for (family, kind), folder in folders.items()
        ]
        found = {
            runtime: dict(
                zip(folders, run_on(runtime, __file__, "--compare", json.dumps(given)), strict=True)
            )
            for runtime in RUNTIMES
        }
    families = list(dict.fromkeys(family for family, _ in folders))
    groups = {runtime: [runtime] for runtime in RUNTIMES} if arguments.by_runtime else {}
    for title, runtimes in (groups or {"family": list(RUNTIMES)}).items():
        rows = []
        for family in families:
            cells = []
            for kind in KINDS:
                values = [found[each].get((family, kind)) for each in runtimes]
                cells.append("–" if None in values else f"{largest(values):.0e}")
            rows.append([family, *cells])
        print_table([title, *KINDS.values()], rows)
        print()
    wrong = [
        f"{runtime}, {family}, {kind}: {value:.1e}"
        for runtime, values in found.items()
        for (family, kind), value in values.items()
        if not value <= 1e-5
    ]
    if wrong:
        sys.exit("Not met: " + "; ".join(wrong))


if __name__ == "__main__":
    main()
