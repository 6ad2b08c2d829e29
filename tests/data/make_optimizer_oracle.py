"""Write optimizer_oracle.json: weights after every step of keras-bert 0.89's AdamWarmup.

    pip install keras-bert==0.89.0 tensorflow-cpu==2.15.1
    python make_optimizer_oracle.py

Gradients are functions of the step, so that they need not be stored.
"""

import json
from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow.keras.optimizers

# 0.89 is written for the optimizer base class that TensorFlow 2.11 renamed.
tf.keras.optimizers.Optimizer = tf.keras.optimizers.legacy.Optimizer

from keras_bert import AdamWarmup  # noqa: E402

CASES = [
    {"decay_steps": 30, "warmup_steps": 7, "min_lr": 1e-3, "learning_rate": 1e-1},
    {"decay_steps": 30, "warmup_steps": 0, "learning_rate": 1e-2, "weight_decay": 0.1},
    {"decay_steps": 10, "warmup_steps": 20, "learning_rate": 1e-1, "epsilon": 1e-2},
    {"decay_steps": 40, "warmup_steps": 4, "learning_rate": 1e-1, "beta_1": 0.5, "beta_2": 0.9},
]
START = [1.0, -2.0, 0.5]


def gradients():
    steps = np.arange(1, 41, dtype="float32")
    return np.stack([np.sin(steps), np.cos(2 * steps), 0.1 * steps], axis=1)


def steps_of(case):
    """Weights after every step (40, 3)."""
    optimizer, weight = AdamWarmup(**case), tf.Variable(START, name="kernel")
    for gradient in gradients():
        optimizer.apply_gradients([(tf.constant(gradient), weight)])
        yield [round(float(value), 7) for value in weight.numpy()]


if __name__ == "__main__":
    cases = [{"arguments": case, "weights": list(steps_of(case))} for case in CASES]
    path = Path(__file__).with_name("optimizer_oracle.json")
    lines = ",\n".join(json.dumps(case) for case in cases)
    path.write_text(f"[\n{lines}\n]\n", "utf-8")
