"""Input layers."""

from ..backend import layers


def get_inputs(seq_len: int | None) -> list:
    """The inputs of a BERT model: token ids, segment ids and the marks of masked positions.

    They are int32; models called on float ids get them cast. (As floats, a 16-bit policy would
    round ids: 257 becomes 256 in bfloat16.)

    Args:
        seq_len: Length T of the sequences, or None for any length.

    Returns:
        A list of three tensors (B, T): Input-Token, Input-Segment, Input-Masked.

    Example:
        >>> from keras_bert.layers import get_inputs
        >>> [tuple(each.shape) for each in get_inputs(seq_len=16)]
        [(None, 16), (None, 16), (None, 16)]
    """
    return [
        layers.Input(shape=(seq_len,), dtype="int32", name=f"Input-{name}")
        for name in ("Token", "Segment", "Masked")
    ]
