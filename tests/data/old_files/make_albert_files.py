"""Writes `.h5` files with keras_albert_model 0.1.0, on the packages that it was written for.

Its README asks for Keras 2.3; keras-bert 0.80 is of its month, and the last release but a few that
has all it imports. In the environment and with the two folders of packages of
`make_keras_2_3_files.py`, and keras_albert_model (commit b8189b6) in `albert`:

    git clone https://github.com/TinkerMob/keras_albert_model albert
    pip install --no-deps --target bert080 keras-adaptive-softmax==0.6.0
    TF_USE_LEGACY_KERAS=1 PYTHONPATH=bert080:keras23:albert python make_albert_files.py

Inputs are those of `expected.npz`, numbers go to `expected_albert.npz`. The attention is that of
keras-bert 0.80; "gelu" is the tanh form here, not that release's.
"""

import make_keras_2_3_files as maker  # first, for its patches
import numpy as np
from keras.models import Model
from keras_albert_model import build_albert

maker.VERSION = "albert"  # the part of the files' names
TINY = {
    "token_num": 40,
    "pos_num": 10,
    "seq_len": 10,
    "embed_dim": 6,
    "hidden_dim": 12,
    "transformer_num": 2,
    "head_num": 2,
    "feed_forward_dim": 20,
}


def main():
    inputs = maker.inputs_of("tokens", "segments")
    maker.start(51)
    maker.save("mlm_sop", maker.randomise(build_albert(**TINY), 51), inputs)
    maker.start(52)
    model = Model(*build_albert(training=False, **TINY))
    maker.save("encoder", maker.randomise(model, 52), inputs)
    np.savez_compressed(maker.FOLDER / "expected_albert.npz", **maker.EXPECTED)


if __name__ == "__main__":
    main()
