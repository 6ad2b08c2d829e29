import numpy as np
import pytest
from runtimes import to_numpy

from keras_bert import get_custom_objects
from keras_bert.backend import ops
from keras_bert.layers import CRF
from keras_bert.layers.crf_loss import CRFLoss, crf_viterbi_accuracy

# Best tags 0, 1, 1 of three positions, then a masked one.
OUTPUT = np.array([[[1.0, -2], [0, 1.5], [-3, 1], [0, 0]]], "float32")


@pytest.mark.parametrize(
    ("tags", "share"), [([0, 1, 1, 0], 1.0), ([1, 1, 0, 0], 1 / 3), ([1, 0, 0, -1], 0.0)]
)
def test_the_accuracy_is_that_of_unmasked_positions(tags, share):
    labels = np.array([tags])
    output = ops.convert_to_tensor(OUTPUT)
    assert float(crf_viterbi_accuracy(labels, output)) == pytest.approx(share)
    assert float(crf_viterbi_accuracy(labels[..., None], output)) == pytest.approx(share)


def test_where_everything_is_masked_there_is_nothing():
    crf = CRF(2)
    crf.build((None, None, 3))
    output = ops.convert_to_tensor(0 * OUTPUT)
    labels = np.zeros((1, 4), "int32")
    assert to_numpy(crf.loss(labels, output)).tolist() == [0]
    assert float(crf.accuracy(labels, output)) == 0


def test_names_of_keras_contrib():
    crf = CRF(2)
    assert isinstance(crf.loss_function, CRFLoss)
    assert crf.loss_function.layer is crf
    assert crf.accuracy is crf.viterbi_acc is crf_viterbi_accuracy
    assert get_custom_objects()["crf_viterbi_accuracy"] is crf_viterbi_accuracy
    with pytest.raises(ValueError, match="belongs to its layer"):
        get_custom_objects()["crf_loss"](np.zeros((1, 4)), OUTPUT)
