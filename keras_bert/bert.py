"""Builds BERT as a functional model, in order from the inputs to the heads.

Legend of shapes: B batch, T sequence length, V vocabulary, D hidden size, F feed-forward size,
H heads, N encoder layers, k concatenated layers.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from . import activations, layers
from .activations import gelu
from .arguments import as_integer, as_integers, as_size, check_head_num
from .backend import keras
from .backend.switch import warn_of_both
from .layers.initializer import GlorotNormal
from .saving.custom_objects import get_custom_objects
from .tokenizer.special_tokens import TOKEN_CLS, TOKEN_MASK, TOKEN_PAD, TOKEN_SEP, TOKEN_UNK
from .training.pretraining import compile_model, gen_batch_inputs, get_base_dict

__all__ = [
    "TOKEN_CLS",
    "TOKEN_MASK",
    "TOKEN_PAD",
    "TOKEN_SEP",
    "TOKEN_UNK",
    "compile_model",
    "gelu",
    "gen_batch_inputs",
    "get_base_dict",
    "get_custom_objects",
    "get_model",
    "get_token_embedding",
]


def get_model(
    token_num: int,
    pos_num: int = 512,
    seq_len: int | None = 512,
    embed_dim: int = 768,
    transformer_num: int = 12,
    head_num: int = 12,
    feed_forward_dim: int = 3072,
    dropout_rate: float = 0.1,
    attention_activation: str | Callable | None = None,
    feed_forward_activation: str | Callable | None = "gelu",
    training: bool = True,
    trainable: bool | Iterable[str] | None = None,
    output_layer_num: int | Sequence[int] = 1,
    use_task_embed: bool = False,
    task_num: int = 10,
    *,
    segment_num: int = 2,
    layer_norm_epsilon: float = 1e-12,
    token_initializer: Callable | None = None,
    max_predictions: int | None = None,
    output_len: int | None = None,
    embedding_size: int | None = None,
    group_num: int | None = None,
    inner_group_num: int = 1,
    fixed_task: int | None = None,
    heads: Sequence[str] = ("MLM", "NSP"),
) -> Any:
    """Build BERT, or a relative of it.

    Args:
        token_num: Size V of the vocabulary.
        pos_num: Number of positions, the longest sequence possible.
        seq_len: Length T of the sequences, or None for any up to `pos_num`.
        embed_dim: Hidden size D.
        transformer_num: Number N of encoder layers.
        head_num: Number H of attention heads; divides `embed_dim`.
        feed_forward_dim: Hidden size F of the feed-forward layers.
        dropout_rate: Dropout rate of embeddings and sub-layer outputs; 0 leaves the layers out.
        attention_activation: Activation of the attention's projections.
        feed_forward_activation: Activation of the feed-forward layers and of the MLM head, a
            callable or a name; "gelu" is the tanh form, "gelu_erf" the exact one.
        training: Whether to return the model with its two heads, or the encoder's inputs and
            output.
        trainable: Whether the layers are trainable: a bool, or a list of layer name prefixes;
            None means the same as `training`.
        output_layer_num: With `training=False`, how many of the last encoder layers to concatenate
            (lowest first; all of them if there are fewer), or a list of layer indices,
            concatenated in reverse order of the list.
        use_task_embed: Whether to add task embeddings.
        task_num: Number of tasks.
        segment_num: Number of segments; 0 for a model that has segment ids as an input and ignores
            them, as DistilBERT does.
        layer_norm_epsilon: Epsilon of every layer normalization.
        token_initializer: As in `get_embedding`.
        max_predictions: With `training=True`, the most positions K of a row to predict
            (`max_predictions_per_seq` in Google's code): the MLM head is computed at the marked
            positions only (see `ExtractMasked`) and gives logits. Weights are the same. None
            computes it at all positions.
        output_len: With `training=False`, how many of the first tokens the output is about; None
            means all. With 1, which is enough for a head on the first token, the last layer
            computes nothing but keys and values for the others, and a runtime may leave padding
            out of all layers, as PyTorch does on a CPU. Weights and the output are the same.
        embedding_size: Size E of the embeddings, as of ALBERT's and ELECTRA's, which a layer then
            maps to `embed_dim`; the MLM head ends at size E, too. None for embeddings of size D
            and no such layer.
        group_num: Number of groups among which ALBERT's encoder layers are divided; the layers of a
            group share their weights. None for weights of its own for every layer.
        inner_group_num: With `group_num`, of how many attention and feed-forward layers one encoder
            layer consists; each has weights of its own.
        fixed_task: With `use_task_embed`, the task of all texts, from 0; there is no input Task
            then. (ERNIE's files have a table of which row 0 is added to every token.)
        heads: With `training=True`, the heads: "MLM" for masked words, "NSP" for the next sentence
            (or the order of sentences), or "RTD" alone for ELECTRA's replaced tokens.

    Returns:
        With `training=True` a Model from Token, Segment(, Task), Masked to the MLM probabilities
        (B, T, V), masked to the marked positions, and the NSP probabilities (B, 2); with
        `max_predictions` to the MLM logits (B, K, V) of each row's marked positions from left to
        right, with a mask that is true at the slots in use. With one head it has one output; the
        RTD head's is the probability (B, T) that a token has been replaced, and there is no input
        Masked. Otherwise a tuple of the list of inputs, Token, Segment(, Task), and the output
        (B, T, D·k), or (B, output_len, D·k).

    Raises:
        TypeError: If a size is not an integer.
        ValueError: If an argument is out of range or contradicts another.

    Example:
        >>> from keras_bert import get_model
        >>> sizes = {"embed_dim": 8, "transformer_num": 2, "head_num": 2, "feed_forward_dim": 16}
        >>> model = get_model(token_num=100, seq_len=16, **sizes)
        >>> [tuple(output.shape) for output in model.outputs]
        [(None, 16, 100), (None, 2)]
        >>> inputs, features = get_model(100, seq_len=16, training=False, **sizes)
        >>> len(inputs), tuple(features.shape)
        (2, (None, 16, 8))

    Reference:
        Devlin et al., BERT, https://arxiv.org/abs/1810.04805
    """
    warn_of_both()
    token_num = as_size("token_num", token_num)
    pos_num = as_size("pos_num", pos_num)
    seq_len = None if seq_len is None else as_size("seq_len", seq_len)
    embed_dim = as_size("embed_dim", embed_dim)
    transformer_num = as_size("transformer_num", transformer_num)
    feed_forward_dim = as_size("feed_forward_dim", feed_forward_dim)
    task_num = as_size("task_num", task_num)
    segment_num = segment_num if segment_num == 0 else as_size("segment_num", segment_num)
    width = embed_dim if embedding_size is None else as_size("embedding_size", embedding_size)
    output_len = None if output_len is None else as_size("output_len", output_len)
    check_head_num(head_num, embed_dim, "`get_model`")
    _check_task(use_task_embed, task_num, fixed_task)
    layer_numbers = _layer_numbers(transformer_num, group_num, inner_group_num)
    _check_heads(heads)
    _check_sequences(seq_len, pos_num, output_len, training)
    _check_options(dropout_rate, trainable, max_predictions, heads if training else ())
    layer_indices = [] if training else _output_layer_indices(output_layer_num, transformer_num)
    activation = activations.get(feed_forward_activation)
    blocks = _Blocks(dropout_rate, layer_norm_epsilon, output_len)

    token, segment, masked = layers.get_inputs(seq_len)
    inputs = [token, segment]
    features, table = layers.get_embedding(
        inputs,
        token_num,
        pos_num,
        width,
        dropout_rate,
        segment_num=segment_num,
        token_initializer=token_initializer,
    )
    if use_task_embed:
        embedding = layers.TaskEmbedding(
            task_num, width, fixed_task=fixed_task, name="Embedding-Task"
        )
        if fixed_task is None:
            task = keras.layers.Input(shape=(1,), dtype="int32", name="Input-Task")
            inputs.append(task)
            features = embedding([features, task])
        else:
            features = embedding(features)
    features = blocks.norm("Embedding", blocks.dropout("Embedding", features))
    if embedding_size is not None:
        features = keras.layers.Dense(embed_dim, name="Embedding-Mapping")(features)

    encoded = []
    for index, numbers in enumerate(layer_numbers):
        is_highest_output = bool(layer_indices) and index == max(layer_indices)
        for number in numbers:
            attention = blocks.layer(
                layers.MultiHeadAttention,
                f"Encoder-{number}-MultiHeadSelfAttention",
                head_num=head_num,
                activation=activations.get(attention_activation),
                kernel_initializer=GlorotNormal(),
            )
            feed_forward = blocks.layer(
                layers.FeedForward,
                f"Encoder-{number}-FeedForward",
                units=feed_forward_dim,
                activation=activation,
                kernel_initializer=GlorotNormal(),
            )
            needs_first_only = is_highest_output and number == numbers[-1]
            features = blocks.encoder_layer(features, attention, feed_forward, needs_first_only)
        encoded.append(features)

    trainable = training if trainable is None else trainable
    if not training:
        set_trainable(keras.Model(inputs, features), trainable)
        return inputs, blocks.output(encoded, layer_indices)
    outputs = []
    if "MLM" in heads:
        outputs.append(_mlm_head(blocks, features, table, masked, activation, max_predictions))
        inputs = [*inputs, masked]
    if "NSP" in heads:
        outputs.append(_nsp_head(features))
    if "RTD" in heads:
        outputs.append(_rtd_head(features, activation))
    model = keras.Model(inputs, outputs if len(outputs) > 1 else outputs[0])
    set_trainable(model, trainable)
    return model


class _Blocks:
    """Builds the parts that repeat, with the options that they share."""

    def __init__(self, dropout_rate: float, epsilon: float, output_len: int | None):
        self.dropout_rate = dropout_rate
        self.epsilon = epsilon
        self.output_len = output_len
        self.made: dict[str, Any] = {}

    def layer(self, kind, name, **options):
        """The layer of a name: the same one where a model of shared layers comes to it again."""
        if name not in self.made:
            self.made[name] = kind(name=name, **options)
        return self.made[name]

    def dropout(self, name, features):
        if self.dropout_rate > 0.0:
            dropout = self.layer(layers.Dropout, f"{name}-Dropout", rate=self.dropout_rate)
            features = dropout(features)
        return features

    def norm(self, name, features):
        norm = self.layer(layers.LayerNormalization, f"{name}-Norm", epsilon=self.epsilon)
        return norm(features)

    def residual(self, name, features, output):
        """Dropout of a sub-layer's output, addition and normalization."""
        output = self.dropout(name, output)
        return self.norm(name, self.layer(layers.Add, f"{name}-Add")([features, output]))

    def first_tokens(self, name, features):
        return layers.FirstTokens(self.output_len, name=f"{name}-First")(features)

    def encoder_layer(self, features, attention, feed_forward, needs_first_only):
        """Attention and feed-forward layer; with `needs_first_only`, for the first tokens alone."""
        attention.needed_len = feed_forward.needed_len = self.output_len
        query = features
        if needs_first_only and self.output_len is not None:
            query = self.first_tokens(attention.name, features)
            attended = attention([query, features, features])
        else:
            attended = attention(features)
        features = self.residual(attention.name, query, attended)
        return self.residual(feed_forward.name, features, feed_forward(features))

    def output(self, encoded, layer_indices):
        """The output of some encoder layers, in reverse order, side by side."""
        if self.output_len is not None:
            for index in set(layer_indices) - {max(layer_indices)}:
                encoded[index] = self.first_tokens(f"Encoder-{index + 1}", encoded[index])
        outputs = [encoded[index] for index in reversed(layer_indices)]
        if len(outputs) == 1:
            return outputs[0]
        return keras.layers.Concatenate(name="Encoder-Output")(outputs)


def _mlm_head(blocks, features, table, masked, activation, max_predictions):
    """Probabilities, or with `max_predictions` logits, of masked tokens."""
    mlm, marks = features, masked
    marked_only = max_predictions is not None
    if marked_only:
        mlm, marks = layers.ExtractMasked(max_predictions, name="MLM-Extract")([features, masked])
    mlm = keras.layers.Dense(table.shape[-1], activation=activation, name="MLM-Dense")(mlm)
    mlm = blocks.norm("MLM", mlm)
    similarity = layers.EmbeddingSimilarity(return_logits=marked_only, name="MLM-Sim")
    return layers.Masked(name="MLM")([similarity([mlm, table]), marks])


def _nsp_head(features):
    """Probabilities of whether the second sentence follows the first."""
    nsp = layers.Extract(index=0, name="Extract")(features)
    nsp = keras.layers.Dense(features.shape[-1], activation="tanh", name="NSP-Dense")(nsp)
    return keras.layers.Dense(2, activation="softmax", name="NSP")(nsp)


def _rtd_head(features, activation):
    """Probability of each token to have been replaced by a generator's guess."""
    rtd = keras.layers.Dense(features.shape[-1], activation=activation, name="RTD-Dense")(features)
    return layers.TokenProbability(name="RTD")(rtd)


def _layer_numbers(transformer_num, group_num, inner_group_num) -> list[range]:
    """For each encoder layer, the numbers of the attention and feed-forward layers in it."""
    if group_num is None:
        group_num = transformer_num
    elif as_size("group_num", group_num) > transformer_num:
        raise ValueError(
            "`group_num` must not exceed `transformer_num`, the number of encoder layers. "
            f"Received: group_num={group_num}, transformer_num={transformer_num}."
        )
    inner = as_size("inner_group_num", inner_group_num)
    groups = [index * group_num // transformer_num for index in range(transformer_num)]
    return [range(1 + group * inner, 1 + (group + 1) * inner) for group in groups]


def _check_task(use_task_embed, task_num, fixed_task) -> None:
    if fixed_task is None:
        return
    if not (use_task_embed and 0 <= as_integer("fixed_task", fixed_task) < task_num):
        raise ValueError(
            "`fixed_task` is a number below `task_num`, for `use_task_embed=True`. Received: "
            f"fixed_task={fixed_task}, task_num={task_num}, use_task_embed={use_task_embed}."
        )


def _check_heads(heads) -> None:
    if isinstance(heads, (str, type(None))) or tuple(heads) not in (
        ("MLM", "NSP"),
        ("MLM",),
        ("NSP",),
        ("RTD",),
    ):
        raise ValueError(
            "`heads` must be ('MLM', 'NSP'), one of the two, or ('RTD',). "
            f"Received: heads={heads!r}."
        )


def _check_sequences(seq_len, pos_num, output_len, training) -> None:
    if seq_len is not None and seq_len > pos_num:
        raise ValueError(
            "`seq_len` must not exceed `pos_num`, the number of positions. "
            f"Received: seq_len={seq_len}, pos_num={pos_num}."
        )
    if output_len is not None and (training or (seq_len is not None and output_len > seq_len)):
        raise ValueError(
            "`output_len` is a number of tokens up to `seq_len`, for `training=False`. "
            f"Received: output_len={output_len}, seq_len={seq_len}, training={training}."
        )


def _check_options(dropout_rate, trainable, max_predictions, heads) -> None:
    if dropout_rate is None or not 0.0 <= dropout_rate < 1.0:
        raise ValueError(
            f"`dropout_rate` must lie in [0, 1). Received: dropout_rate={dropout_rate}."
        )
    if isinstance(trainable, (str, bytes)):
        raise ValueError(
            "`trainable` must be a bool or a list of layer name prefixes, such as ['Encoder']. "
            f"Received: trainable={trainable!r}."
        )
    if max_predictions is not None and "MLM" not in heads:
        raise ValueError(
            "`max_predictions` is for the MLM head, which `training=False` leaves out. "
            f"Received: max_predictions={max_predictions}."
        )


def _output_layer_indices(output_layer_num, transformer_num: int) -> list[int]:
    """Indices of the encoder layers to return, in the order of the argument, none negative."""
    if not isinstance(output_layer_num, Iterable):
        count = as_integer("output_layer_num", output_layer_num)
        if count < 1:
            raise ValueError(
                "`output_layer_num` must be a positive number of layers or a list of indices. "
                f"Received: output_layer_num={output_layer_num}."
            )
        return [transformer_num - 1 - index for index in range(min(count, transformer_num))]
    indices = as_integers("output_layer_num", output_layer_num)
    if not indices or any(not -transformer_num <= each < transformer_num for each in indices):
        raise ValueError(
            f"`output_layer_num` must list indices from {-transformer_num} to "
            f"{transformer_num - 1}, as there are {transformer_num} layers. "
            f"Received: output_layer_num={output_layer_num}."
        )
    return [index % transformer_num for index in indices]


def set_trainable(model, trainable) -> None:
    """Freeze or free every layer, by a bool or by name prefixes."""
    if not isinstance(trainable, Iterable):
        for layer in model.layers:
            layer.trainable = bool(trainable)
        return
    prefixes = tuple(trainable)
    for layer in model.layers:
        layer.trainable = layer.name.startswith(prefixes)
    names = [layer.name for layer in model.layers]
    unmatched = [each for each in prefixes if not any(name.startswith(each) for name in names)]
    if unmatched:
        beginnings = {layer.name.split("-")[0]: None for layer in model.layers if layer.weights}
        warnings.warn(
            f"`trainable` names no layer of this model by {sorted(unmatched)}; names start with "
            f"{', '.join(beginnings)}.",
            stacklevel=3,
        )


def get_token_embedding(model: Any) -> Any:
    """The token table of a model, as a symbolic tensor for further layers.

    Args:
        model: A model of `get_model` or of the loaders.

    Returns:
        The second output of its layer Embedding-Token, (V, D), or (V, E) with `embedding_size`.

    Example:
        >>> from keras_bert import get_model, get_token_embedding
        >>> model = get_model(100, embed_dim=8, transformer_num=1, head_num=2, feed_forward_dim=16)
        >>> tuple(get_token_embedding(model).shape)
        (100, 8)
    """
    return model.get_layer("Embedding-Token").output[1]
