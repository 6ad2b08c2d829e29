"""Writes the folders beside it: small relatives of BERT, and what Hugging Face says of them.

transformers 5.24.0 and PyTorch 2.13.0 wrote them:

    python make_relatives.py

Each is a model folder with random weights. In `outputs.npz` is what the model computes for the
token and segment ids in it: features and attention probabilities of every encoder layer, and the
heads' logits by name.
"""

from pathlib import Path

import numpy as np
import torch
import transformers as hf

FOLDER = Path(__file__).parent
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxy"]
SIZES = {
    "vocab_size": len(WORDS),
    "hidden_size": 12,
    "num_hidden_layers": 3,
    "num_attention_heads": 3,
    "intermediate_size": 20,
    "max_position_embeddings": 16,
}
ALBERT = {**SIZES, "embedding_size": 6}
DISTILBERT = {
    "vocab_size": len(WORDS),
    "dim": 12,
    "n_layers": 2,
    "n_heads": 3,
    "hidden_dim": 20,
    "max_position_embeddings": 16,
}
MODELS = {
    "albert": hf.AlbertForPreTraining(hf.AlbertConfig(**ALBERT, hidden_act="gelu_new")),
    "albert-groups": hf.AlbertForMaskedLM(
        hf.AlbertConfig(**ALBERT, num_hidden_groups=2, inner_group_num=2, hidden_act="gelu")
    ),
    "albert-encoder": hf.AlbertModel(
        hf.AlbertConfig(**{**ALBERT, "embedding_size": 12}, hidden_act="relu")
    ),
    "electra": hf.ElectraForPreTraining(hf.ElectraConfig(**SIZES, embedding_size=6)),
    "electra-encoder": hf.ElectraModel(hf.ElectraConfig(**SIZES, embedding_size=12)),
    "ernie": hf.ErnieForPreTraining(hf.ErnieConfig(**SIZES, type_vocab_size=4)),
    "ernie-tasks": hf.ErnieForMaskedLM(
        hf.ErnieConfig(**SIZES, use_task_id=True, task_type_vocab_size=3)
    ),
    "distilbert": hf.DistilBertForMaskedLM(hf.DistilBertConfig(**DISTILBERT)),
    "distilbert-sines": hf.DistilBertForMaskedLM(
        hf.DistilBertConfig(**DISTILBERT, sinusoidal_pos_embds=True)
    ),
}
HEADS = ("prediction_logits", "logits", "sop_logits", "seq_relationship_logits")
TOKENS = np.array([[2, 5, 6, 7, 3, 0, 0], [2, 9, 3, 10, 11, 12, 3], [2, 3, 0, 0, 0, 0, 0]])
SEGMENTS = np.array([[0] * 7, [0, 0, 0, 1, 1, 1, 1], [0] * 7])


def fill(model) -> None:
    """Random weights far from what training begins with; sines stay, as their files have them."""
    for name, parameter in model.named_parameters():
        if not (name.endswith("position_embeddings.weight") and not parameter.requires_grad):
            is_scale = "norm" in name.lower() and name.endswith("weight")
            torch.nn.init.normal_(parameter, mean=float(is_scale), std=0.4)
    model.tie_weights()


def write_outputs(name, model) -> None:
    segments = {} if name.startswith("distilbert") else {"token_type_ids": torch.tensor(SEGMENTS)}
    mask = torch.tensor(TOKENS != 0).long()
    with torch.no_grad():
        outputs = model(
            torch.tensor(TOKENS),
            attention_mask=mask,
            output_hidden_states=True,
            output_attentions=True,
            **segments,
        )
    # ALBERT's list has the features after each of the layers in a group.
    inner = getattr(model.config, "inner_group_num", 1)
    hidden = torch.stack(outputs.hidden_states[inner::inner]).numpy()
    heads = {head: outputs[head].numpy() for head in HEADS if head in outputs}
    np.savez(
        FOLDER / name / "outputs.npz",
        tokens=TOKENS,
        segments=SEGMENTS,
        hidden=hidden,
        attention=torch.stack(outputs.attentions).numpy(),
        **heads,
    )


if __name__ == "__main__":
    torch.manual_seed(7)
    for name, model in MODELS.items():
        fill(model.eval())
        model.set_attn_implementation("eager")  # which gives the probabilities
        model.save_pretrained(FOLDER / name)
        (FOLDER / name / "generation_config.json").unlink(missing_ok=True)
        (FOLDER / name / "vocab.txt").write_text("\n".join(WORDS) + "\n", "utf-8")
        write_outputs(name, model)
