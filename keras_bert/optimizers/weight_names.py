"""Names of weights as weight decay patterns know them: those that keras-bert 0.89 gave them."""

from __future__ import annotations

# On Keras 3 attention and feed-forward layers hold Dense sub-layers, whose paths end differently.
_WEIGHTS_BY_LAYER = {
    "MultiHeadSelfAttention": {
        "query/kernel": "Wq",
        "query/bias": "bq",
        "key/kernel": "Wk",
        "key/bias": "bk",
        "value/kernel": "Wv",
        "value/bias": "bv",
        "output/kernel": "Wo",
        "output/bias": "bo",
    },
    "FeedForward": {
        "hidden/kernel": "W1",
        "hidden/bias": "b1",
        "output/kernel": "W2",
        "output/bias": "b2",
    },
}


def weight_name(variable) -> str:
    """Name a variable as keras-bert 0.89 did.

    Args:
        variable: A model's variable, of Keras 3 or Keras 2.

    Returns:
        A name such as `Encoder-1-FeedForward/Encoder-1-FeedForward_W1:0` or `NSP-Dense/kernel:0`,
        the same on every runtime.
    """
    path = getattr(variable, "path", None)
    if path is None:  # Keras 2 still gives the old names
        return variable.name
    *parents, layer, sub_layer, weight = ["", "", *path.split("/")]
    kind = layer.rpartition("-")[2]
    old = _WEIGHTS_BY_LAYER.get(kind, {}).get(f"{sub_layer}/{weight}")
    end = [sub_layer, weight] if old is None else [f"{layer}_{old}"]
    return "/".join(part for part in [*parents, layer, *end] if part) + ":0"


def layer_prefix(variable, prefixes) -> str | None:
    """The longest of some beginnings of layer names that is the beginning of a variable's layer.

    Args:
        variable: A model's variable, of Keras 3 or Keras 2.
        prefixes: Beginnings of layer names.

    Returns:
        One of them, or None.
    """
    # Layers of a model inside a model may have its name before their own.
    names = weight_name(variable).split("/")
    fitting = [each for each in prefixes if any(name.startswith(each) for name in names)]
    return max(fitting, key=len, default=None)
