"""Writes the folders beside it: heads for tasks of transformers' TensorFlow classes.

transformers 4.49.0, TensorFlow 2.21.0 and tf_keras 2.21.0 wrote them:

    TF_USE_LEGACY_KERAS=1 python make_tasks_tf.py

Weights are random. In `outputs.npz` is what TensorFlow computes for the tokens in it.
"""

from pathlib import Path

import numpy as np
import tensorflow as tf
import transformers

FOLDER = Path(__file__).parent
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxy"]
TABLES = {"vocab_size": len(WORDS), "max_position_embeddings": 16}
SIZES = {
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 12,
    "type_vocab_size": 2,
    **TABLES,
}
DISTIL = {"dim": 8, "n_layers": 1, "n_heads": 2, "hidden_dim": 12, **TABLES}
LABELS = {"id2label": {0: "x", 1: "y", 2: "z"}, "label2id": {"x": 0, "y": 1, "z": 2}}
# Folder -> class, configuration, and whether it is written as safetensors.
MODELS = {
    "bert-sequence": (
        "BertForSequenceClassification",
        transformers.BertConfig(**SIZES, **LABELS),
        False,
    ),
    "bert-tokens": ("BertForTokenClassification", transformers.BertConfig(**SIZES, **LABELS), True),
    "electra-sequence": (
        "ElectraForSequenceClassification",
        transformers.ElectraConfig(**SIZES, **LABELS, embedding_size=6),
        True,
    ),
    "distilbert-sequence": (
        "DistilBertForSequenceClassification",
        transformers.DistilBertConfig(**DISTIL, **LABELS),
        False,
    ),
    "albert-answers": (
        "AlbertForQuestionAnswering",
        transformers.AlbertConfig(**SIZES, embedding_size=6),
        True,
    ),
}
TOKENS = np.array([[2, 5, 6, 7, 3, 0, 0], [2, 9, 3, 10, 11, 12, 3], [2, 3, 0, 0, 0, 0, 0]])
SEGMENTS = np.array([[0] * 7, [0, 0, 0, 1, 1, 1, 1], [0] * 7])


def main():
    for folder, (name, config, is_safe) in MODELS.items():
        tf.keras.utils.set_random_seed(6)
        model = getattr(transformers, f"TF{name}")(config)
        model.build_in_name_scope()
        generator = np.random.default_rng(6)
        for weight in model.weights:
            weight.assign(generator.normal(float("gamma" in weight.name), 0.3, weight.shape))
        model.save_pretrained(FOLDER / folder, safe_serialization=is_safe)
        for path in (FOLDER / folder).glob("*.safetensors"):
            path.chmod(0o644)
        (FOLDER / folder / "vocab.txt").write_text("\n".join(WORDS) + "\n", "utf-8")
        inputs = {"input_ids": TOKENS, "attention_mask": (TOKENS != 0).astype("int64")}
        if not folder.startswith("distilbert"):
            inputs["token_type_ids"] = SEGMENTS
        outputs = {key: value.numpy() for key, value in model(inputs).items()}
        np.savez(FOLDER / folder / "outputs.npz", tokens=TOKENS, segments=SEGMENTS, **outputs)


if __name__ == "__main__":
    main()
