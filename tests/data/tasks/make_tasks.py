"""Writes the folders beside it: small models with heads for tasks, and their outputs.

transformers 5.24.0 and PyTorch 2.13.0 wrote them:

    python make_tasks.py

Each is a model folder with random weights. In `outputs.npz` is what the model computes for the
token and segment ids in it: `logits`, or `start_logits` and `end_logits`.
"""

from pathlib import Path

import numpy as np
import torch
import transformers as hf

FOLDER = Path(__file__).parent
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxy"]
TABLES = {"vocab_size": len(WORDS), "max_position_embeddings": 16}
SIZES = {
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 12,
    **TABLES,
}
CONFIGS = {
    "bert": ("Bert", SIZES),
    "albert": ("Albert", {**SIZES, "embedding_size": 6}),
    "electra": ("Electra", {**SIZES, "embedding_size": 6}),
    "electra-wide": ("Electra", {**SIZES, "embedding_size": 8}),
    "ernie": ("Ernie", {**SIZES, "use_task_id": True}),
    "distilbert": (
        "DistilBert",
        {"dim": 8, "n_layers": 2, "n_heads": 2, "hidden_dim": 12, **TABLES},
    ),
}
CLASSES = {
    "sequence": "ForSequenceClassification",
    "tokens": "ForTokenClassification",
    "answers": "ForQuestionAnswering",
}
TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
# Family and task -> the labels, and what the configuration says further.
WRITTEN = {
    ("bert", "sequence"): (["bad", "so-so", "good"], {}),
    ("bert", "tokens"): (TAGS, {}),
    ("bert", "answers"): (None, {}),
    ("albert", "sequence"): (["LABEL_0"], {"problem_type": "regression"}),
    ("electra", "sequence"): (["a", "b"], {"problem_type": "multi_label_classification"}),
    ("electra-wide", "tokens"): (TAGS, {}),
    ("ernie", "answers"): (None, {}),
    ("distilbert", "sequence"): (None, {}),  # of two labels that transformers makes up
}
TOKENS = np.array([[2, 5, 6, 7, 3, 0, 0], [2, 9, 3, 10, 11, 12, 3], [2, 3, 0, 0, 0, 0, 0]])
SEGMENTS = np.array([[0] * 7, [0, 0, 0, 1, 1, 1, 1], [0] * 7])


def make_model(family, task, labels=None, **options):
    """A model with random weights, far from what training begins with."""
    name, sizes = CONFIGS[family]
    if labels is not None:
        options["id2label"] = dict(enumerate(labels))
        options["label2id"] = {label: index for index, label in enumerate(labels)}
    config = getattr(hf, f"{name}Config")(**sizes, **options)
    model = getattr(hf, f"{name}{CLASSES[task]}")(config).eval()
    for parameter_name, parameter in model.named_parameters():
        is_scale = "norm" in parameter_name.lower() and parameter_name.endswith("weight")
        torch.nn.init.normal_(parameter, mean=float(is_scale), std=0.4)
    return model


def outputs_of(model):
    """The model's logits by name."""
    inputs = {"attention_mask": torch.tensor(TOKENS != 0).long()}
    if model.config.model_type != "distilbert":
        inputs["token_type_ids"] = torch.tensor(SEGMENTS)
    with torch.no_grad():
        outputs = model(torch.tensor(TOKENS), **inputs)
    return {name: value.numpy() for name, value in outputs.items()}


def write_folder(folder, model):
    model.save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n", "utf-8")


if __name__ == "__main__":
    torch.manual_seed(8)
    for (family, task), (labels, options) in WRITTEN.items():
        model = make_model(family, task, labels, **options)
        folder = FOLDER / f"{family}-{task}"
        write_folder(folder, model)
        np.savez(folder / "outputs.npz", tokens=TOKENS, segments=SEGMENTS, **outputs_of(model))
