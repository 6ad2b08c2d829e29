"""Hugging Face transformers on PyTorch as the demos' peer: model, update and fine-tuning.

    python benchmarks/torch_peer.py MODEL train.tsv dev.tsv [options of demo/tune/classify.py]

fine-tunes by the recipe of demo/tune/classify.py and prints the same: the pooler's vector of the
first token, dropout, one Dense layer with the same distribution of first values, the same batches
in the same order, the same update. Tokenizer, model, gradients and loss are transformers' and
PyTorch's. Dropout is where each library has it, except that attention probabilities, which
keras_bert leaves alone, have none.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from transformers import AutoTokenizer, BertModel

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "demo/tune"))


class Classifier(torch.nn.Module):
    """Transformers' BERT and a linear layer on the first token, giving logits.

    With `pooled`, the pooler and dropout are between the two, as in transformers' classifiers.
    """

    def __init__(self, folder, class_count, dropout=0.1, pooled=False):
        super().__init__()
        self.bert = BertModel.from_pretrained(
            folder,
            add_pooling_layer=pooled,
            hidden_dropout_prob=dropout,
            attention_probs_dropout_prob=0.0,
        )
        self.head = torch.nn.Linear(self.bert.config.hidden_size, class_count)
        torch.nn.init.xavier_uniform_(self.head.weight)  # Keras' Dense starts so
        torch.nn.init.zeros_(self.head.bias)
        self.dropout = torch.nn.Dropout(dropout)

    def forward(self, tokens, segments):
        mask = (tokens != 0).long()
        found = self.bert(tokens, attention_mask=mask, token_type_ids=segments)
        if found.pooler_output is not None:
            return self.head(self.dropout(found.pooler_output))
        return self.head(found.last_hidden_state[:, 0])


class AdamWarmup(torch.optim.Optimizer):
    """The formula in the docstring of `keras_bert.AdamWarmup`, in PyTorch.

    PyTorch's AdamW adds epsilon after the correction of the bias and does not correct the decay.
    """

    def __init__(self, model, decay_steps, warmup_steps, learning_rate, weight_decay=0.01):
        kernels = [each for each in model.parameters() if each.ndim > 1]
        others = [each for each in model.parameters() if each.ndim == 1]
        groups = [{"params": kernels, "decay": weight_decay}, {"params": others, "decay": 0.0}]
        super().__init__(groups, {})
        self.steps = 0
        self.decay_steps, self.warmup_steps = decay_steps, warmup_steps
        self.learning_rate = learning_rate

    @torch.no_grad()
    def step(self):
        self.steps += 1
        rate = self.learning_rate * (1 - min(self.steps, self.decay_steps) / self.decay_steps)
        if self.steps <= self.warmup_steps:
            rate = self.learning_rate * self.steps / self.warmup_steps
        rate *= (1 - 0.999**self.steps) ** 0.5 / (1 - 0.9**self.steps)
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["m"], state["v"] = torch.zeros_like(weight), torch.zeros_like(weight)
                state["m"].mul_(0.9).add_(weight.grad, alpha=1 - 0.9)
                state["v"].mul_(0.999).addcmul_(weight.grad, weight.grad, value=1 - 0.999)
                change = state["m"] / (state["v"].sqrt() + 1e-7)
                weight.sub_(change.add_(weight, alpha=group["decay"]), alpha=rate)


def train_step(model, optimizer, batch) -> float:
    """Update a model by one of the demos' batches; returns the loss."""
    (tokens, segments), targets = batch
    logits = model(torch.as_tensor(tokens).long(), torch.as_tensor(segments).long())
    loss = torch.nn.functional.cross_entropy(logits, torch.as_tensor(targets).long())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


@torch.no_grad()
def accuracy(model, batches) -> float:
    model.eval()
    right = 0
    for index in range(len(batches)):
        (tokens, segments), targets = batches[index]
        logits = model(torch.as_tensor(tokens).long(), torch.as_tensor(segments).long())
        right += (logits.argmax(-1).numpy() == targets).sum()
    model.train()
    return right / len(batches.lengths)


def main() -> None:
    from common import Batches, parse
    from options import argument_parser
    from tables import as_numbers, read_table

    from keras_bert import calc_train_steps

    arguments = parse(argument_parser(__doc__, 128, 32, 3, 3e-5))
    torch.manual_seed(arguments.seed)
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)

    def batches(path, classes=None, seed=None):
        texts, labels = read_table(path, limit=arguments.limit)
        encoded = tokenizer(
            [text for (text,) in texts],
            padding="max_length",
            truncation=True,
            max_length=arguments.max_len,
            return_tensors="np",
        )
        inputs = [encoded["input_ids"], encoded["token_type_ids"]]
        classes = classes or sorted(set(labels))
        targets = as_numbers(labels, classes, path)
        return Batches(inputs, targets, arguments.batch_size, seed), classes

    train, classes = batches(arguments.train, seed=arguments.seed)
    dev, _ = batches(arguments.dev, classes)
    model = Classifier(arguments.model, len(classes), arguments.dropout, pooled=True).train()
    steps = calc_train_steps(len(train.lengths), arguments.batch_size, arguments.epochs)
    optimizer = AdamWarmup(model, *steps, arguments.learning_rate)
    for epoch in range(1, arguments.epochs + 1):
        losses = [train_step(model, optimizer, train[index]) for index in range(len(train))]
        print(f"loss {np.mean(losses):.4f}")
        print(f"epoch {epoch}: dev accuracy {accuracy(model, dev):.4f}", flush=True)
        train.on_epoch_end()


if __name__ == "__main__":
    main()
