"""The CRF of keras_contrib, which is `keras_bert.layers.CRF`."""

import functools
from typing import Any

from tf_keras.src.engine import training, training_v1

from ..backend import registered
from ..layers import CRF
from ..layers.crf_loss import CRFLoss
from ..layers.crf_loss import crf_viterbi_accuracy as crf_viterbi_accuracy
from .modules import OldModule, add_module

# Scripts compile with it before any layer is known.
crf_loss = CRFLoss()

_LAYERS = {"CRF": f"{__name__}:CRF"}
_LOSSES = {"crf_loss": f"{__name__}:crf_loss"}
_METRICS = {name: f"{__name__}:{name}" for name in ("crf_accuracy", "crf_viterbi_accuracy")}
_MODULES: dict[str, dict[str, str]] = {
    "keras_contrib": {},
    "keras_contrib.layers": _LAYERS,
    "keras_contrib.layers.crf": _LAYERS,
    "keras_contrib.losses": _LOSSES,
    "keras_contrib.losses.crf_losses": _LOSSES,
    "keras_contrib.metrics": _METRICS,
    "keras_contrib.metrics.crf_accuracies": _METRICS,
    "keras_contrib.layers.normalization": {},
    "keras_contrib.layers.normalization.instancenormalization": {},
    "keras_contrib.optimizers": {},
    "keras_contrib.utils": {},
    "keras_contrib.utils.save_load_utils": {},
}
_INSTEAD = "keras.layers, or a copy of its code: of keras_contrib, only the CRF is here"


@registered
def crf_accuracy(y_true, y_pred):
    """`crf_viterbi_accuracy` under the name by which scripts then look for it in the history."""
    return crf_viterbi_accuracy(y_true, y_pred)


def install() -> None:
    """Let the CRF be imported from keras_contrib, and its loss find its layer."""
    for name, names in _MODULES.items():
        add_module(OldModule(name, names=names, instead=_INSTEAD))
    for model in (training.Model, training_v1.Model):  # the second in graph mode
        model.compile = _with_losses_of_layers(model.compile)


def _with_losses_of_layers(function):
    @functools.wraps(function)
    def compile(self, optimizer="rmsprop", loss=None, *args, **kwargs):
        return function(self, optimizer, _loss_with_layer(loss, self), *args, **kwargs)

    return compile


def _loss_with_layer(loss: Any, model: Any) -> Any:
    """A loss, or each of several, with the CRF layer of a model where it is a CRF's without one."""
    if isinstance(loss, dict):
        return {name: _loss_with_layer(each, model) for name, each in loss.items()}
    if isinstance(loss, (list, tuple)):
        return [_loss_with_layer(each, model) for each in loss]
    if not isinstance(loss, CRFLoss) or loss.layer is not None:
        return loss
    found = [layer for layer in model.layers if isinstance(layer, CRF)]
    if len(found) != 1:
        raise ValueError(
            "crf_loss belongs to a CRF layer, and the model must have one. With several, compile "
            f"with the `loss` of each. Received: a model with {len(found)} CRF layers."
        )
    return found[0].loss
