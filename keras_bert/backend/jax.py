"""What JAX does otherwise than `plain`."""

from __future__ import annotations

import os
import weakref

import jax
import numpy as np

from . import plain
from .kept import is_patched, made_once
from .parts import models, ops
from .plain import Predictor

COMPILES_EVERY_SHAPE = True

# Scores of a head of one text. With more of them XLA is faster on a CPU head by head.
_LONG = 1 << 17

_steps: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def on_accelerator() -> bool:
    """Whether a GPU or TPU computes where nobody says otherwise."""
    return jax.default_backend() != "cpu"


def limit_threads(count: int) -> None:
    """Compute with a number of threads; to be called before anything is computed."""
    # JAX has no option for it. XLA's CPU client reads this variable when it is made
    # (DefaultThreadPoolSize in xla/pjrt/cpu/cpu_client.cc).
    os.environ["NPROC"] = str(count)


def own_memory(values):
    """A copy: JAX keeps the memory of an array, and what is mapped changes with the file."""
    return values.copy()


def initial_zeros(shape, dtype=None):
    """Zeros for a weight that is about to be overwritten; JAX compiles its own for every shape."""
    if dtype == "float32":
        return np.broadcast_to(np.float32(0), shape)
    return plain.initial_zeros(shape, dtype)


def gelu_erf(x):
    """GELU in its exact form; by erfc in what is exported, as TensorFlow cannot read JAX' erf."""
    if _is_known(np.shape(x)):
        return plain.gelu_erf(x)
    return ops.gelu(x, approximate=False)


def _is_known(shape) -> bool:
    """Whether all sizes are numbers; with export, some are symbols."""
    return all(isinstance(size, int) for size in shape)


def attend(query, key, value, bias):
    """Scaled dot-product attention; on accelerators by JAX' own operation."""
    if on_accelerator():
        return ops.dot_product_attention(query, key, value, bias)
    length, key_length = query.shape[1], key.shape[1]
    if _is_known((length, key_length)) and length * key_length > _LONG:
        return _attend_head_by_head(query, key, value, bias)
    return plain.attend(query, key, value, bias)


def _attend_head_by_head(query, key, value, bias):
    """The same numbers with the scores of one head at a time in memory, or in a cache."""

    def attend(head):  # three of (B, T or S, D/H)
        return plain.attend(*(each[:, :, None] for each in head), bias)[:, :, 0]

    heads = tuple(ops.transpose(each, (2, 0, 1, 3)) for each in (query, key, value))
    return ops.transpose(ops.map(attend, heads), (1, 2, 0, 3))


def predictor(model, of_known_layers: bool) -> Predictor:
    """A function that leaves a model's weights where they are, or `model.predict_on_batch`.

    Keras' own function takes the memory of the weights and gives it back when it is done: other
    threads, and other models of the same layers, find them deleted meanwhile.
    """
    if (
        not isinstance(model, models.Model)
        or type(model).predict_on_batch is not models.Model.predict_on_batch
        or is_patched(model)
        or model.run_eagerly
        or not model.jit_compile
    ):
        return plain.predictor(model, of_known_layers)
    model.make_predict_function()
    key = model.predict_function  # a key alone: Keras makes a new one when a model is compiled
    step = made_once(_steps, key, model, _step)

    def predict(arrays):
        trainable, others = model.trainable_variables, model.non_trainable_variables
        state = [each.value for each in trainable], [each.value for each in others]
        outputs, changed = step(state, arrays)
        for index, value in changed.items():
            others[index].assign(value)
        return outputs

    return Predictor(predict, fetch=_fetch)


def _fetch(outputs: list) -> list:
    for each in jax.tree.leaves(outputs):
        each.copy_to_host_async()
    return jax.tree.map(np.array, outputs)


def _step(model):
    this = weakref.ref(model)  # or the entry would keep its own key, Keras' function, alive

    @jax.jit
    def step(state, arrays):
        """The outputs, and by their indices the variables that a prediction changes."""
        outputs, others = this().predict_step(state, (arrays,))
        pairs = enumerate(zip(state[1], others, strict=True))
        return outputs, {index: new for index, (old, new) in pairs if new is not old}

    return step
