import numpy as np
from layer_checks import check_layer, old_case, old_cases

from keras_bert.layers import Masked


@old_cases("masked")
def test_as_the_old_layer(case, tmp_path):
    known = old_case(case)
    check_layer(**known, output_dtypes=["input"] * len(known["outputs"]), tmp_path=tmp_path)


def test_without_an_incoming_mask_the_ids_alone_count(tmp_path):
    random = np.random.RandomState(2)
    features = random.normal(size=(3, 5, 4)).astype("float32")
    ids = random.randint(0, 3, size=(3, 5)).astype("int32")
    check_layer(
        Masked,
        {"return_masked": True},
        [features, ids],
        outputs=[features, (ids != 0).astype("float32")],
        output_masks=[ids != 0, None],
        output_dtypes=["input", "input"],
        tmp_path=tmp_path,
    )
