"""Writes the folders beside it: models of transformers' TensorFlow classes, with random weights.

transformers 4.49.0, TensorFlow 2.21.0 and tf_keras 2.21.0 wrote them, PyTorch 2.13.0 `pytorch.npz`:

    TF_USE_LEGACY_KERAS=1 python make_transformers_tf_files.py

In each folder `tf_model.h5` or `model.safetensors` is the model (BERT's is there as both), in
`pytorch.npz` the weights as transformers itself gives them to its PyTorch class, and in
`outputs.npz` what TensorFlow computes for the tokens in it. `names.json` has the names and shapes
of what all other classes have beyond the encoder, in TensorFlow and in PyTorch.
"""

import json
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf
import transformers
from safetensors import safe_open

FOLDER = Path(__file__).parent
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxy"]
TABLES = {"vocab_size": len(WORDS), "max_position_embeddings": 16}
SIZES = {
    "hidden_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 20,
    "type_vocab_size": 2,
    **TABLES,
}
DISTIL = {"dim": 12, "n_layers": 2, "n_heads": 3, "hidden_dim": 20, **TABLES}
# What does not divide the layers among the groups evenly, transformers' TensorFlow cannot compute.
GROUPS = {"num_hidden_layers": 4, "num_hidden_groups": 2, "inner_group_num": 2}
CONFIGS = {
    "Bert": transformers.BertConfig(**SIZES),
    "Albert": transformers.AlbertConfig(**{**SIZES, **GROUPS}, embedding_size=8),
    "Electra": transformers.ElectraConfig(**SIZES, embedding_size=8),
    "DistilBert": transformers.DistilBertConfig(**DISTIL),
}
# Class -> whether it is written as HDF5 and as safetensors.
WRITTEN = {
    "BertForPreTraining": (True, True),
    "AlbertForPreTraining": (False, True),
    "ElectraForPreTraining": (False, True),
    "DistilBertForMaskedLM": (True, False),
}
HEADS = (
    *("ForPreTraining", "ForMaskedLM", "LMHeadModel", "ForNextSentencePrediction"),
    *("ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering"),
    *("ForMultipleChoice", "Model"),
)
TOKENS = np.array([[2, 5, 6, 7, 3, 0, 0], [2, 9, 3, 10, 11, 12, 3], [2, 3, 0, 0, 0, 0, 0]])
SEGMENTS = np.array([[0] * 7, [0, 0, 0, 1, 1, 1, 1], [0] * 7])


def make_model(name, config):
    tf.keras.utils.set_random_seed(6)
    model = getattr(transformers, f"TF{name}")(config)
    model.build_in_name_scope()
    generator = np.random.default_rng(6)
    for weight in model.weights:
        weight.assign(generator.normal(float("gamma" in weight.name), 0.1, weight.shape))
    return model


def state_of(name, folder):
    """The weights in PyTorch's class, by transformers' own conversion."""
    model = getattr(transformers, name).from_pretrained(folder, from_tf=True)
    return {key: value.numpy() for key, value in model.state_dict().items()}


def write_folder(name, model):
    folder = FOLDER / name.partition("For")[0].lower()
    for is_safe in (False, True):
        if WRITTEN[name][is_safe]:
            model.save_pretrained(folder, safe_serialization=is_safe)
    for path in folder.glob("*.safetensors"):
        path.chmod(0o644)
    np.savez_compressed(folder / "pytorch.npz", **state_of(name, folder))
    (folder / "generation_config.json").unlink(missing_ok=True)
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n", "utf-8")
    inputs = {"input_ids": TOKENS, "attention_mask": (TOKENS != 0).astype("int64")}
    if not name.startswith("DistilBert"):
        inputs["token_type_ids"] = SEGMENTS
    outputs = model(inputs, output_hidden_states=True)
    heads = {
        key: value.numpy()
        for key, value in outputs.items()
        if key.endswith("logits") and value is not None
    }
    hidden = np.stack([each.numpy() for each in outputs.hidden_states[1:]])
    np.savez(folder / "outputs.npz", tokens=TOKENS, segments=SEGMENTS, hidden=hidden, **heads)


def names_of(name, model):
    """TensorFlow's and PyTorch's names and shapes of what is outside the encoder's layers."""
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder, safe_serialization=True)
        with safe_open(f"{folder}/model.safetensors", "np") as file:
            tensorflow = {key: file.get_slice(key).get_shape() for key in list(file.keys())}
        pytorch = {key: list(value.shape) for key, value in state_of(name, folder).items()}
    return [
        {
            key: shape
            for key, shape in names.items()
            if "layer_._" not in key and "layer." not in key and "albert_layer" not in key
        }
        for names in (tensorflow, pytorch)
    ]


def main():
    names = {}
    for family, config in CONFIGS.items():
        for head in HEADS:
            name = f"{family}{head}"
            if not all(hasattr(transformers, each) for each in (name, f"TF{name}")):
                continue
            model = make_model(name, config)
            if name in WRITTEN:
                write_folder(name, model)
            names[name] = names_of(name, model)
    text = json.dumps(names).replace('}, {"', '},\n{"').replace('], "', '],\n"')
    (FOLDER / "names.json").write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
