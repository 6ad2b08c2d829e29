"""Files of weights."""

import pytest
from old_scripts import on_keras_2, results_of, run_script

pytestmark = on_keras_2

SCRIPT = """
import json
import os
import shutil
import tempfile
import h5py
import numpy as np
from keras.layers import LSTM, RNN, Bidirectional, Dense, Input, LSTMCell
from keras.models import Model

os.chdir(tempfile.mkdtemp())
results = {}

def model_of(size, **options):
    inputs = Input(shape=(3, 2))
    features = Bidirectional(LSTM(2, name="rnn", **options), name="both")(inputs)
    return Model(inputs, Dense(size, name="answer%d" % size)(features))

def is_same(one, other):
    return all(map(np.array_equal, one.get_weights(), other.get_weights()))

first, second = model_of(1), model_of(1)
first.save_weights("old.h5")
shutil.copy("old.h5", "old.weights.h5")
second.load_weights("old.weights.h5")
results["old layout"] = is_same(first, second)
first.save_weights("new.weights.h5")
third = model_of(1)
third.load_weights("new.weights.h5")
results["saved and loaded"] = is_same(first, third)
with h5py.File("new.weights.h5") as file:
    results["layers"] = "both" in file
other = model_of(5)
before = other.get_weights()
other.load_weights("old.h5", True)
after = other.get_weights()
results["by name"] = all(map(np.array_equal, after[:6], first.get_weights()[:6]))
results["left alone"] = all(map(np.array_equal, after[6:], before[6:]))
with h5py.File("old.h5", "a") as file:
    file.attrs["keras_version"] = np.bytes_("2.2.4")
third.load_weights("old.h5")
model_of(1, recurrent_activation="hard_sigmoid").load_weights("old.h5")
inputs = Input(shape=(3, 2))
Model(inputs, LSTM(2, name="not_in_the_file")(inputs)).load_weights("old.h5", by_name=True)
cells = Model(inputs, Bidirectional(RNN(LSTMCell(2), name="of_cells"), name="both")(inputs))
cells.load_weights("old.h5", by_name=True)
print(json.dumps(results))
"""


@pytest.mark.parametrize("mode", ["--graph", "--eager"])
def test_they_are_loaded_as_then(tmp_path, mode):
    results, line = results_of(tmp_path, SCRIPT, options=(mode,))
    names = ["old layout", "saved and loaded", "layers", "by name", "left alone"]
    assert results == dict.fromkeys(names, True)
    assert "the old layout in files .weights.h5" in line


@pytest.mark.parametrize("mode", ["--graph", "--eager"])
def test_recurrent_activation_of_another_version(tmp_path, mode):
    _, _, messages = run_script(tmp_path, SCRIPT, options=(mode,))
    lines = messages.splitlines()
    first, second = [line for line in lines if "recurrent_activation='hard_sigmoid'" in line]
    for warning in (first, second):
        assert warning.startswith(f"{tmp_path / 'script.py'}:")
        assert "UserWarning: old.h5 was written by Keras 2.2.4, where LSTM and GRU had" in warning
    assert "in forward_rnn, backward_rnn. If the script" in first
    assert "in forward_of_cells, backward_of_cells. If the script" in second
