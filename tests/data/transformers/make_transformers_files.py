"""Writes the files beside it: a small BERT with random weights, and what Hugging Face says of it.

transformers 5.24.0 and PyTorch 2.13.0 wrote them:

    python make_transformers_files.py

The folder is a model folder. In `outputs.npz` is what the model computes for the token and segment
ids in it, in `fill.json` the best three words for the masks of some texts, and in `shapes.json` the
weights of a model of yet other sizes.
"""

import json
from pathlib import Path

import numpy as np
import torch
from transformers import BertConfig, BertForPreTraining

FOLDER = Path(__file__).parent
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxy"]
SIZES = {
    "vocab_size": len(WORDS),
    "hidden_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 20,
    "max_position_embeddings": 16,
    "type_vocab_size": 2,
}
OTHER_SIZES = {
    "vocab_size": 11,
    "hidden_size": 4,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 6,
    "max_position_embeddings": 7,
    "type_vocab_size": 2,
}
TOKENS = np.array([[2, 5, 6, 7, 3, 0, 0], [2, 9, 3, 10, 11, 12, 3], [2, 3, 0, 0, 0, 0, 0]])
SEGMENTS = np.array([[0] * 7, [0, 0, 0, 1, 1, 1, 1], [0] * 7])
# z is no word of the vocabulary.
TEXTS = {
    "a b [MASK] d": ("[CLS] a b [MASK] d [SEP]", [0] * 6),
    "[MASK] z ||| A [MASK]": ("[CLS] [MASK] [UNK] [SEP] a [MASK] [SEP]", [0] * 4 + [1] * 3),
}


def make_model():
    torch.manual_seed(6)
    model = BertForPreTraining(BertConfig(hidden_act="gelu", layer_norm_eps=1e-5, **SIZES)).eval()
    for name, parameter in model.named_parameters():
        torch.nn.init.normal_(parameter, mean=float(name.endswith("LayerNorm.weight")), std=0.5)
    model.tie_weights()
    return model


def write_outputs(model):
    outputs = model(
        torch.tensor(TOKENS),
        attention_mask=torch.tensor(TOKENS != 0).long(),
        token_type_ids=torch.tensor(SEGMENTS),
        output_hidden_states=True,
    )
    np.savez(
        FOLDER / "outputs.npz",
        tokens=TOKENS,
        segments=SEGMENTS,
        hidden=torch.stack(outputs.hidden_states[1:]).numpy(),
        mlm=torch.softmax(outputs.prediction_logits, -1).numpy(),
        nsp=torch.softmax(outputs.seq_relationship_logits, -1).numpy(),
    )


def best_words(model, tokens, segments):
    ids = torch.tensor([[WORDS.index(token) for token in tokens.split()]])
    logits = model(ids, token_type_ids=torch.tensor([segments])).prediction_logits[0]
    values, indices = logits[ids[0] == WORDS.index("[MASK]")].softmax(-1).topk(3)
    return [
        [{"token": WORDS[index], "probability": value} for index, value in zip(*mask, strict=True)]
        for mask in zip(indices.tolist(), values.tolist(), strict=True)
    ]


def write_json(name, content):
    (FOLDER / name).write_text(json.dumps(content, indent=1) + "\n", "utf-8")


@torch.no_grad()
def main():
    model = make_model()
    model.save_pretrained(FOLDER)
    torch.save(model.state_dict(), FOLDER / "pytorch_model.bin")
    (FOLDER / "generation_config.json").unlink(missing_ok=True)
    (FOLDER / "vocab.txt").write_text("\n".join(WORDS) + "\n", "utf-8")
    write_outputs(model)
    write_json("fill.json", {text: best_words(model, *rest) for text, rest in TEXTS.items()})
    other = BertForPreTraining(BertConfig(**OTHER_SIZES))
    shapes = {name: list(value.shape) for name, value in other.named_parameters()}
    write_json("shapes.json", {"config": OTHER_SIZES, "shapes": shapes})


if __name__ == "__main__":
    main()
