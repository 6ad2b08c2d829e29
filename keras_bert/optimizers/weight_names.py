"""Names of weights as weight decay patterns know them: those that keras-bert 0.89 gave them."""

from ..backend import weight_path

# On Keras 3 attention and feed-forward layers hold Dense sub-layers, whose paths end differently:
# query/kernel is Wq and query/bias bq, hidden/kernel is W1 and so on.
_LETTERS = {"kernel": "W", "bias": "b"}
_SUB_LAYERS = {
    "MultiHeadSelfAttention": {"query": "q", "key": "k", "value": "v", "output": "o"},
    "FeedForward": {"hidden": "1", "output": "2"},
}


def weight_name(variable) -> str:
    """Name a variable as keras-bert 0.89 did, on every runtime.

    Such as `Encoder-1-FeedForward/Encoder-1-FeedForward_W1:0` or `NSP-Dense/kernel:0`.
    """
    path = weight_path(variable)
    return variable.name if path is None else name_of_path(path)


def name_of_path(path: str) -> str:
    """Name the weight at a path of Keras 3, as `weight_name` does."""
    *parents, layer, sub_layer, weight = ["", "", *path.split("/")]
    end = [sub_layer, weight]
    sub_layers = _SUB_LAYERS.get(layer.rpartition("-")[2], {})
    if sub_layer in sub_layers and weight in _LETTERS:
        end = [f"{layer}_{_LETTERS[weight]}{sub_layers[sub_layer]}"]
    return "/".join(part for part in [*parents, layer, *end] if part) + ":0"


def layer_prefix(variable, prefixes) -> str | None:
    """The longest of some prefixes with which the name of a variable's layer begins, or None."""
    # Layers of a model inside a model may have its name before their own.
    names = weight_name(variable).split("/")
    fitting = [each for each in prefixes if any(name.startswith(each) for name in names)]
    return max(fitting, key=len, default=None)
