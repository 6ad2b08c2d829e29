"""Computing at the positions that somebody reads, which padding is not, on a CPU.

B texts, T positions, D features.
"""

from __future__ import annotations

from .tracing import traced

# Above this share of positions, picking them out takes longer than computing the others.
_MOST = 0.9


def needed_positions(features, mask, needed_len):
    """Which positions to compute: unmasked ones and the first ones; all of a text without any.

    Args:
        features: Features; of another shape than (B, T, D), all positions are computed.
        mask: Boolean (B, T), or numbers that are 0 at masked positions, or None.
        needed_len: How many of the first positions are needed even where masked; None means all.

    Returns:
        Their indices among the B·T positions, ascending, or None for all positions.
    """
    if needed_len is None or mask is None:
        return None
    if features.ndim != 3 or mask.ndim != 2 or mask.device.type != "cpu" or traced(mask):
        return None
    mask = mask.bool()
    needed = mask | ~mask.any(dim=1, keepdim=True)
    needed[:, :needed_len] = True
    positions = needed.reshape(-1).nonzero()[:, 0]
    return positions if len(positions) < _MOST * needed.numel() else None


def pick_rows(rows, positions):
    """The rows of a matrix (B·T, D) at positions."""
    return rows if positions is None else rows.index_select(0, positions)


def spread_rows(rows, positions, like):
    """A matrix with the rows at their positions, 0 elsewhere: (B·T, D) for `like` (B, T, …)."""
    if positions is None:
        return rows
    count = like.shape[0] * like.shape[1]
    return rows.new_zeros((count, rows.shape[1])).index_copy_(0, positions, rows)
