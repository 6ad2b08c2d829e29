"""Transformers learns by the usual loop with PyTorch's fused AdamW; see training.py."""

import sys

import torch
from shared import serve
from training_shared import make_texts
from transformers import BertConfig, BertModel

*sizes, dtype, plain, _ = sys.argv[1:]
steps, batch_size, length, layers, size = map(int, sizes)
plain = plain == "1"
arrays = [
    torch.as_tensor(each).long() for each in make_texts(steps * batch_size, length, not plain)
]
device = "cuda" if torch.cuda.is_available() else "cpu"
config = BertConfig(
    hidden_size=size,
    num_hidden_layers=layers,
    num_attention_heads=12,
    intermediate_size=4 * size,
    attention_probs_dropout_prob=0.0,
)
bert = BertModel(config, add_pooling_layer=False).train().to(device)
head = torch.nn.Linear(size, 2).to(device)
weights = [*bert.parameters(), *head.parameters()]
optimizer = torch.optim.AdamW(weights, 2e-5, weight_decay=0.01, fused=True)


def learn():
    for first in range(0, steps * batch_size, batch_size):
        batch = (each[first : first + batch_size].to(device) for each in arrays)
        tokens, segments, labels = batch
        mask = (tokens != 0).long()
        with torch.autocast(device, torch.bfloat16, enabled=dtype == "bfloat16"):
            features = bert(tokens, attention_mask=mask, token_type_ids=segments).last_hidden_state
            logits = head(features[:, 0]).float()
        loss = torch.nn.functional.cross_entropy(logits, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()


serve(learn)
