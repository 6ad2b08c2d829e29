"""keras-adaptive-softmax's layers, which files of keras_albert_model name.

V tokens have rows of size E in a table (V, E), from which a projection (E, D) leads to D features.
Where E is D there is none, unless `force_projection` asks for it.
"""

from ..backend import (
    TABLE_OPTIONS,
    constraints,
    contract,
    initializers,
    layers,
    lookup,
    ops,
    regularizers,
    serializable,
    unconverted,
)
from .embedding import EmbeddingSimilarity
from .table import check_ids

_KINDS = {"initializer": initializers, "regularizer": regularizers, "constraint": constraints}
_OPTIONS = {f"{weight}_{kind}": kind for weight in ("embeddings", "kernel") for kind in _KINDS}
_DEFAULTS = {"embeddings_initializer": "uniform", "kernel_initializer": "glorot_uniform"}


class _Factors:
    """Mixin: the arguments of both layers, of which those in `switches` are on or off."""

    def __init__(self, input_dim, output_dim, embed_dim=None, cutoffs=None, div_val=1, **kwargs):
        if cutoffs is not None or div_val != 1:
            raise ValueError(
                "`cutoffs` must be None and `div_val` 1: the vocabulary cannot be divided here. "
                f"Received: cutoffs={cutoffs}, div_val={div_val}. With TF_KERAS=1, the layers of "
                "keras_adaptive_softmax can be passed in `custom_objects`."
            )
        options = {name: kwargs.pop(name, _DEFAULTS.get(name)) for name in _OPTIONS}
        switches = {name: kwargs.pop(name, default) for name, default in self.switches.items()}
        super().__init__(**kwargs)
        self.supports_masking = True
        self.input_dim, self.output_dim, self.embed_dim = input_dim, output_dim, embed_dim
        for name, value in options.items():
            setattr(self, name, _KINDS[_OPTIONS[name]].get(value))
        for name, value in switches.items():  # a list has a value for every part of the vocabulary
            setattr(self, name, bool(value[0] if isinstance(value, (list, tuple)) else value))
        self.embeddings = self.projections = None

    def _add_factor(self, name, *shape):
        options = {kind: getattr(self, f"{name}_{kind}") for kind in _KINDS}
        return self.add_weight(name=name, shape=shape, **options, **TABLE_OPTIONS)

    def get_config(self):
        config = super().get_config()
        for name in ("input_dim", "output_dim", "embed_dim", *self.switches):
            config[name] = getattr(self, name)
        for name, kind in _OPTIONS.items():
            config[name] = _KINDS[kind].serialize(getattr(self, name))
        return config


@serializable
@unconverted
class AdaptiveEmbedding(_Factors, layers.Layer):
    """Embeddings (B, T, D) of token ids (B, T), which are integers or whole floats.

    With `mask_zero`, the id 0 is padding. With `return_embeddings` or `return_projections`, the
    result is a list, in which the table and the projection, if there is one, follow.
    """

    switches = dict.fromkeys(
        ("force_projection", "mask_zero", "return_embeddings", "return_projections"), False
    )

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("autocast", False)  # ids must stay integers
        super().__init__(*args, **kwargs)
        self.embed_dim = self.embed_dim or self.output_dim

    def build(self, input_shape):
        self.embeddings = self._add_factor("embeddings", self.input_dim, self.embed_dim)
        if self.force_projection or self.embed_dim != self.output_dim:
            self.projections = self._add_factor("kernel", self.embed_dim, self.output_dim)
        self.built = True

    def _outputs(self, embedded, of_factor):
        """The outputs, or what is true of each: of the embeddings, and of each factor returned."""
        if not (self.return_embeddings or self.return_projections):
            return embedded
        factors = self.return_embeddings * [self.embeddings]
        factors += (self.return_projections and self.projections is not None) * [self.projections]
        return [embedded, *map(of_factor, factors)]

    def compute_mask(self, inputs, mask=None):
        mask = ops.not_equal(inputs, 0) if self.mask_zero else None
        return self._outputs(mask, lambda factor: None)

    def compute_output_shape(self, input_shape):
        shape = (*input_shape, self.output_dim)
        return self._outputs(shape, lambda factor: tuple(factor.shape))

    def call(self, inputs):
        ids = ops.cast(inputs, "int32")
        check_ids(self.name, ids, self.input_dim)
        embedded = ops.cast(lookup(self.embeddings, ids), self.compute_dtype)
        if self.projections is not None:
            projections = ops.cast(self.projections, self.compute_dtype)
            embedded = contract(embedded, projections)
        return self._outputs(embedded, lambda factor: ops.cast(factor, self.compute_dtype))


@serializable
@unconverted
class AdaptiveSoftmax(_Factors, EmbeddingSimilarity):
    """Probabilities (B, T, V) of tokens: `softmax(x·projectionᵀ·tableᵀ + bias)`.

    It takes a list of features x (B, T, D), the table and the projection. `bind_embeddings` and
    `bind_projections` say which of the two are those of the list; others are weights of its own.
    """

    switches = dict.fromkeys(("force_projection", "bind_embeddings", "bind_projections"), False)
    switches["use_bias"] = True

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.embed_dim = self.embed_dim or self.input_dim
        self.projects = self.force_projection or self.embed_dim != self.input_dim

    def build(self, input_shape):
        needed = 3 if self.projects and self.bind_projections else 1 + self.bind_embeddings
        if isinstance(input_shape[0], (int, type(None))) or len(input_shape) < needed:
            raise ValueError(
                f"Layer '{self.name}' takes a list of features, table and projection, at least the "
                f"first {needed}. Received: shapes {input_shape}."
            )
        if not self.bind_embeddings:
            self.embeddings = self._add_factor("embeddings", self.output_dim, self.embed_dim)
        if self.projects and not self.bind_projections:
            self.projections = self._add_factor("kernel", self.embed_dim, self.input_dim)
        if self.use_bias:
            super().build([input_shape[0], (self.output_dim, self.embed_dim)])
        self.built = True

    def compute_output_shape(self, input_shape):
        return (*input_shape[0][:-1], self.output_dim)

    def call(self, inputs):
        features = inputs[0]
        if self.projects:
            projection = inputs[2] if self.bind_projections else self.projections
            projection = ops.cast(projection, features.dtype)
            features = contract(features, ops.transpose(projection))
        table = inputs[1] if self.bind_embeddings else self.embeddings
        return super().call([features, ops.cast(table, features.dtype)])
