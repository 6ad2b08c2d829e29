"""keras-bert 0.89 computes the features that parity.py compares ours with."""

import sys

import numpy as np
from shared import serve

from keras_bert import get_checkpoint_paths, load_trained_model_from_checkpoint

folder, inputs_file, features_file = sys.argv[1:]


def predict():
    paths = get_checkpoint_paths(folder)
    model = load_trained_model_from_checkpoint(paths.config, paths.checkpoint, seq_len=None)
    inputs = np.load(inputs_file)
    np.save(features_file, model.predict([inputs["tokens"], inputs["segments"]], verbose=0))


serve(predict)
