"""What engines may replace, in `keras.ops` alone.

Where an engine has a faster way, its module has a function of the same name and meaning, and the
package takes that one. Tests compare the two. (`on_accelerator` and `limit_threads` have no plain
form: every engine has its own.)

B texts, T positions that attend to S positions, H heads, D features of all heads together.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .parts import ops

# Whether the engine compiles a model anew for every shape of its inputs.
COMPILES_EVERY_SHAPE = False

# Devices and replicas


def has_replicas() -> bool:
    """Whether several replicas of a model are trained together, each with a loss of its own."""
    return False


def replica_mean(count):
    """The mean of a number, a float32 scalar of each replica, over the replicas."""
    return count


def own_memory(values):
    """An array whose memory the engine may keep: a copy where it would keep a mapped file's."""
    return values


def initial_zeros(shape, dtype=None):
    """Zeros for a weight that is about to be overwritten."""
    return ops.zeros(shape, dtype)


def precision_of(dtype) -> str:
    """The type to sum up numbers of a type in, and to take logarithms: "float64" or "float32".

    Args:
        dtype: A type's name, or the engine's own object for it.
    """
    return "float64" if "float64" in str(dtype) else "float32"


# Parts of layers


def lookup(table, ids):
    """Rows (…, D) of a table (V, D), by integer ids (…) in [0, V).

    The gradient is dense; a row's is the sum over its occurrences. Other ids are an error of the
    engine's own, or their rows are NaN: in compiled code and on accelerators engines give zeros or
    rows of other ids.
    """
    return nan_outside(ops.take(table, ids, axis=0), ids, table.shape[0])


def nan_outside(rows, ids, count: int):
    """Rows (…, D) with NaN where ids (…) are outside [0, count)."""
    inside = ops.logical_and(ids >= 0, ids < count)
    return ops.where(ops.expand_dims(inside, -1), rows, ops.cast(np.nan, rows.dtype))


def traced(tensor) -> bool:
    """Whether the engine follows the operations on a tensor that has values of an example."""
    return False


def gelu_erf(x):
    """GELU in its exact form, by erf.

    Keras' form calls erfc on TensorFlow and JAX, for which there is no ONNX operator and which
    takes JAX longer. In 16 bits Keras' form is kept: 1 + erf has few digits where erf is near -1.
    """
    if getattr(x, "dtype", None) in ("float32", "float64"):
        return 0.5 * x * (1.0 + ops.erf(x / 2.0**0.5))
    return ops.gelu(x, approximate=False)


def set_values(pairs) -> None:
    """Give variables values now, also where a function is being traced, which runs later.

    Args:
        pairs: Iterable of a variable and its values each, which may be read when their turn comes.
    """
    for variable, values in pairs:
        variable.assign(values)


def reshape(tensor, shape):
    """A tensor in another shape."""
    return ops.reshape(tensor, shape)


def project(dense, rows):
    """What a Dense layer makes of rows (B·T, D)."""
    return dense(rows)


def contract(features, matrix):
    """Features (…, D) times a matrix (D, E): (…, E), in their type.

    Keras' `matmul` makes float32 of float64 on PyTorch, and with an ellipsis the `einsum` of
    TensorFlow 2.21 is wrong in 16 bits on CPUs that have products of 16 bits.
    """
    size, units = matrix.shape
    rows = ops.einsum("rd,de->re", ops.reshape(features, (-1, size)), matrix)
    return ops.reshape(rows, (-1, *ops.shape(features)[1:-1], units))


def attend(query, key, value, bias):
    """Scaled dot-product attention (B, T, H, D/H).

    Args:
        query: Features (B, T, H, D/H).
        key: Features (B, S, H, D/H).
        value: Features (B, S, H, D/H).
        bias: Added to the scores, broadcast to (B, H, T, S), or None.
    """
    probabilities = ops.cast(attention_probabilities(query, key, bias), value.dtype)
    attended = ops.matmul(probabilities, ops.transpose(value, (0, 2, 1, 3)))
    return ops.transpose(attended, (0, 2, 1, 3))


def attention_probabilities(query, key, bias):
    """Attention probabilities (B, H, T, S) in at least float32, for the arguments of `attend`."""
    query, key = ops.transpose(query, (0, 2, 1, 3)), ops.transpose(key, (0, 2, 3, 1))
    scores = ops.matmul(query, key)
    precision = precision_of(scores.dtype)
    scores = ops.cast(scores, precision) * ops.shape(query)[-1] ** -0.5
    if bias is not None:
        scores = scores + ops.cast(bias, precision)
    if scores.shape[3] == 1:
        return scores * 0.0 + 1.0  # Keras' softmax warns of an axis of length 1
    return ops.softmax(scores, axis=3)


def normalize(features, gamma, beta, epsilon, training):
    """Layer normalization of features (…, D) by an operation of the engine's own.

    None where Keras' own layer is to compute it.
    """
    return None


def drop(features, rate):
    """Dropout by an operation of the engine's own; None where Keras' own layer is to compute it."""
    return None


def carries(step, start, xs, reverse=False):
    """What a recurrence carries from each element to the next, (T, …), gradients included.

    Args:
        step: A function of what is carried and of an element, which gives what is carried on, in
            the same structure, shapes and dtypes.
        start: A tensor, or a tuple of tensors: what the first element gets.
        xs: A tensor (T, …), or a tuple of them, whose elements are taken one after the other.
        reverse: Whether from the last to the first. The result is in the order of the elements.
    """

    def carried_and_kept(carry, x):
        carry = step(carry, x)
        return carry, carry

    return ops.scan(carried_and_kept, start, xs, reverse=reverse)[1]


def needed_positions(features, mask, needed_len):
    """Which positions of features (B, T, D) to compute where nobody reads padding.

    Args:
        features: Features; of another rank, all positions are computed.
        mask: Boolean (B, T), or numbers that are 0 at masked positions, or None.
        needed_len: How many of the first positions are needed even where masked; None means all.

    Returns:
        Their indices among the B·T positions, ascending: of a text the unmasked and the needed
        ones, or all where it is masked throughout. None for all positions of all texts.
    """
    return None


def pick_rows(rows, positions):
    """The rows of a matrix (B·T, D) at positions."""
    return rows


def spread_rows(rows, positions, like):
    """A matrix with the rows at their positions, 0 elsewhere: (B·T, D) for `like` (B, T, …)."""
    return rows


# Layers and models


class LayerCall:
    """Mixin for layers that occur dozens of times in a model; PyTorch has a shorter `__call__`."""


def _as_arrays(outputs: list) -> list:
    return [
        [*map(np.asarray, each)] if isinstance(each, (list, tuple)) else np.asarray(each)
        for each in outputs
    ]


class Predictor(NamedTuple):
    """What computes batches of a model.

    Attributes:
        call: Takes a list of arrays, token ids and segment ids, int32 (B, T), and returns the
            output, where it is computed; an accelerator may not have finished by then.
        fetch: Takes a list of what `call` has returned, and returns it as NumPy arrays.
        threads: Gives, in the caller's thread, how many threads should call it at a time.
        begin_thread: Gives, in the caller's thread, what each of several calls first.
    """

    call: Callable[[list], Any]
    fetch: Callable[[list], list] = _as_arrays
    threads: Callable[[], int] = lambda: 1
    begin_thread: Callable[[], Callable[[], None] | None] = lambda: None


def predictor(model, of_known_layers: bool) -> Predictor:
    """`model.predict_on_batch`, or the same numbers with less work around them.

    Args:
        model: A model of token ids and segment ids.
        of_known_layers: Whether it is a functional model of this package's encoder layers alone.
    """
    return Predictor(model.predict_on_batch)


# Training


class FusedUpdate:
    """Mixin for AdamWarmup: what the engine has for an update of a weight and its moments."""

    def _dense_gradient(self, gradient):
        """A gradient as a tensor, where the engine may give a list of rows."""
        return gradient

    def _is_fused(self, dtype: str) -> bool:
        """Whether `_fused_update` serves for variables of a type."""
        return False

    def _fused_update(self, variable, gradient, index: int, step_size) -> None:
        """Update the variable of an index, and its moments, by one operation."""
        raise NotImplementedError

    def _outside_graphs(self):
        """A context in which variables are made once, not by each run of a traced function."""
        return contextlib.nullcontext()
