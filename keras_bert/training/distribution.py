"""How the weights are split among devices, for `keras.distribution.ModelParallel` of Keras 3."""

from typing import Any

from ..arguments import as_size
from ..backend import check_has_layouts, keras


def layout_map(
    device_mesh: Any, *, token_num: int, head_num: int, feed_forward_dim: int, axis: str = "model"
) -> Any:
    """Say which weights of a BERT are split along an axis of a device mesh, and how.

    Every device on the axis holds some of the attention heads, some of the hidden features of each
    feed-forward layer and a part of the token table: of its rows (the vocabulary) where the number
    of devices divides `token_num`, and of its columns otherwise. An attention and a feed-forward
    layer then need one exchange each between the devices, after their last product. All other
    weights, which are small, are the same everywhere. Moments of optimizers lie where their weights
    do. Layers are known by the names of `get_model`, whatever precedes these in a bigger model.

    Args:
        device_mesh: A `keras.distribution.DeviceMesh`.
        token_num: Size V of the vocabulary, as in `get_model`.
        head_num: Number H of attention heads.
        feed_forward_dim: Hidden size F of the feed-forward layers.
        axis: Name of the axis of the mesh.

    Returns:
        A `keras.distribution.LayoutMap`, to which layouts of further layers can be added.

    Raises:
        ValueError: If the mesh has no such axis, or the number of devices on it does not divide
            `head_num` and `feed_forward_dim`.
        NotImplementedError: On Keras 2.

    Reference:
        Shoeybi et al., Megatron-LM, https://arxiv.org/abs/1909.08053, section 3
    """
    check_has_layouts()
    if axis not in device_mesh.axis_names:
        raise ValueError(
            "`axis` must name an axis of `device_mesh`. "
            f"Received: axis={axis!r}, axes={list(device_mesh.axis_names)}."
        )
    devices = device_mesh.shape[list(device_mesh.axis_names).index(axis)]
    for name, size in (("head_num", head_num), ("feed_forward_dim", feed_forward_dim)):
        if as_size(name, size) % devices:
            raise ValueError(
                f"The devices on axis {axis!r} must divide `{name}`. Received: {name}={size}, "
                f"{devices} devices. Give the mesh another shape, such as more devices for the "
                "batch."
            )
    layouts = {
        "MultiHeadSelfAttention/(query|key|value)/kernel": (None, axis),
        "MultiHeadSelfAttention/(query|key|value)/bias": (axis,),
        "MultiHeadSelfAttention/output/kernel": (axis, None),
        "FeedForward/hidden/kernel": (None, axis),
        "FeedForward/hidden/bias": (axis,),
        "FeedForward/output/kernel": (axis, None),
    }
    if as_size("token_num", token_num) % devices:
        layouts["Embedding-Token/embeddings"] = (None, axis)
    else:
        layouts["Embedding-Token/embeddings"] = (axis, None)
        layouts["MLM-Sim/bias"] = (axis,)
    result = keras.distribution.LayoutMap(device_mesh)
    for weight, axes in layouts.items():
        result[f".*{weight}"] = axes
    return result
