"""Dynamic programming over sequences of tags: the best one, and the probability of a given one.

B sequences of T positions, each of which has one of U tags. The score of a sequence is the sum of
the scores of its tags (B, T, U) and of the transitions (U, U) from each tag to the next. Positions
that are not counted (B, T) are left out.
"""

from ..backend import carries, ops


def ends(counted):
    """Whether a position is the first, or the last, that is counted: two booleans (B, T, 1)."""
    number = ops.cumsum(ops.cast(counted, "int32"), 1)
    first, last = ops.equal(number, 1), ops.equal(number, number[:, -1:])
    return [ops.expand_dims(ops.logical_and(counted, each), -1) for each in (first, last)]


def viterbi_path(scores, transitions, counted):
    """The tags (B, T) of the best sequence, int32; at positions that are not counted, any."""
    scores, transitions = ops.stop_gradient(scores), ops.stop_gradient(transitions)
    tags = ops.arange(scores.shape[-1])

    def forward(carry, position):
        score, counts, is_first = position
        best, _ = carry  # the best score of a sequence so far, by its last tag
        paths = ops.expand_dims(best, -1) + transitions  # (B, from, to)
        moved = ops.where(is_first, score, ops.max(paths, axis=1) + score)
        before = ops.where(counts, ops.cast(ops.argmax(paths, axis=1), "int32"), tags)
        return ops.where(counts, moved, best), before

    def backward(tag, before):
        return ops.sum(ops.where(ops.equal(tag, tags), before, 0), axis=1, keepdims=True)

    start = ops.zeros_like(scores[:, 0]), ops.zeros_like(scores[:, 0], dtype="int32")
    positions = _by_position(scores, counted, ends(counted)[0])
    best, before = carries(forward, start, positions)
    last = ops.expand_dims(ops.cast(ops.argmax(best[-1], axis=-1), "int32"), -1)
    earlier = carries(backward, last, before, reverse=True)
    path = ops.concatenate([earlier[1:], ops.expand_dims(last, 0)], axis=0)
    return ops.transpose(path[:, :, 0], (1, 0))


def log_likelihood(scores, transitions, counted, tags):
    """The logarithm of the probability (B,) of sequences `tags`, one-hot rows (B, T, U).

    It is 0 where no position is counted.
    """

    def forward(carry, position):
        score, tag, counts, is_first = position
        total, before, own = carry  # `total`: of all sequences so far, by their last tag
        paths = ops.expand_dims(total, -1) + transitions  # (B, from, to)
        reached = ops.where(is_first, score, ops.logsumexp(paths, axis=1) + score)
        # No matmul, whose float32 may have fewer digits, as `reached` has all.
        transition = ops.sum(ops.expand_dims(before, -1) * transitions, axis=1)
        gained = ops.sum(tag * (score + transition), axis=-1, keepdims=True)
        moved = reached, tag, own + gained
        return tuple(ops.where(counts, new, old) for new, old in zip(moved, carry, strict=True))

    start = ops.zeros_like(scores[:, 0])
    start = start, start, start[:, :1]
    positions = _by_position(scores, tags, counted, ends(counted)[0])
    total, _, own = (each[-1] for each in carries(forward, start, positions))
    found = own[:, 0] - ops.logsumexp(total, axis=-1)
    return ops.where(ops.any(counted, axis=1), found, ops.zeros_like(found))


def _by_position(*tensors):
    """Tensors (B, T, …) or (B, T) as (T, B, …) or (T, B, 1)."""
    tensors = [each if len(each.shape) == 3 else ops.expand_dims(each, -1) for each in tensors]
    return tuple(ops.transpose(each, (1, 0, 2)) for each in tensors)
