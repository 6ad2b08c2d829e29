"""Write sentence_losses.json: what the losses of sentence-transformers 6.2 are of some vectors.

    pip install sentence-transformers==6.2.0
    python make_sentence_losses.py

The vectors and grades follow from `VECTORS` and `GRADES`, which the test uses as well.
"""

import json
from pathlib import Path

import numpy as np

# Eight rows of an anchor, its counterpart and a negative. The sixth row is a copy of the first; the
# counterpart of the seventh is its anchor, and the negative of the eighth has no direction.
VECTORS = np.sin(np.arange(8 * 3 * 5) ** 1.5).reshape(8, 3, 5).astype("float32")
VECTORS[5] = VECTORS[0]
VECTORS[6, 1] = VECTORS[6, 0]
VECTORS[7, 2] = 0
GRADES = np.array([5, 3.5, 0, 3.5, 1, 2, 5, 4], "float32")


def in_batch_negatives(vectors, temperature, symmetric):
    """The loss of sentence-transformers and its gradient."""
    from sentence_transformers.sentence_transformer import losses

    options = {"directions": ("query_to_doc", "doc_to_query")} if symmetric else {}
    options.update({"partition_mode": "per_direction"} if symmetric else {})
    loss = losses.MultipleNegativesRankingLoss(None, scale=1 / temperature, **options)
    return _with_gradient(loss, vectors, None)


def cosent(vectors, grades, temperature):
    """The loss of sentence-transformers and its gradient."""
    import torch
    from sentence_transformers.sentence_transformer import losses

    return _with_gradient(
        losses.CoSENTLoss(None, scale=1 / temperature), vectors, torch.from_numpy(grades)
    )


def _with_gradient(loss, vectors, labels):
    import torch

    given = torch.tensor(vectors, requires_grad=True)
    value = loss.compute_loss_from_embeddings(list(given.unbind(1)), labels)
    value.backward()
    return value.item(), given.grad.numpy()


def cases():
    """Name, loss and gradient of each case."""
    for temperature in (0.05, 1.0):
        for count in (2, 3):
            for symmetric in (False, True):
                name = f"in-batch {count} {temperature} {symmetric}"
                yield name, *in_batch_negatives(VECTORS[:, :count], temperature, symmetric)
        yield f"cosent {temperature}", *cosent(VECTORS[:, :2], GRADES, temperature)


if __name__ == "__main__":
    found = {
        name: {"loss": loss, "slope": np.float64(gradient).round(6).tolist()}
        for name, loss, gradient in cases()
    }
    Path(__file__).with_name("sentence_losses.json").write_text(json.dumps(found) + "\n", "utf-8")
