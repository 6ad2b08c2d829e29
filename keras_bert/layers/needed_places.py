"""Computing at the places that somebody reads, which padding is not.

B texts, T places, D features.
"""

from __future__ import annotations

from ..backend import ENGINE, traced

# Above this share of places, picking them out takes longer than computing the others.
_MOST = 0.9


def needed_places(features, mask, needed_len):
    """The places to compute: unmasked ones and the first ones; all of a text without unmasked ones.

    Only PyTorch's CPU leaves any out. Elsewhere shapes are fixed, or waiting for their number would
    cost more.

    Args:
        features: Features; of another shape than (B, T, D), all places are computed.
        mask: Boolean (B, T), or numbers that are 0 at masked places, or None.
        needed_len: How many of the first places are needed even where masked; None means all.

    Returns:
        Their indices among the B·T places, ascending, or None for all places.
    """
    if ENGINE != "torch" or needed_len is None or mask is None:
        return None
    if features.ndim != 3 or mask.ndim != 2 or mask.device.type != "cpu" or traced(mask):
        return None
    mask = mask.bool()
    needed = mask | ~mask.any(dim=1, keepdim=True)
    needed[:, :needed_len] = True
    places = needed.reshape(-1).nonzero()[:, 0]
    return places if len(places) < _MOST * needed.numel() else None


def pick_rows(rows, places):
    """The rows of a matrix (B·T, D) at places."""
    return rows if places is None else rows.index_select(0, places)


def spread_rows(rows, places, like):
    """A matrix with the rows at their places, 0 elsewhere: (B·T, D) for `like` of (B, T, …)."""
    if places is None:
        return rows
    count = like.shape[0] * like.shape[1]
    return rows.new_zeros((count, rows.shape[1])).index_copy_(0, places, rows)
