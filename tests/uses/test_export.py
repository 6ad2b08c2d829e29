"""Exported models give what `predict` gives, for batches of any size and length."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from model_folders import CONFIG, write_hugging_face_folder
from readme_examples import example
from runtimes import RUNTIME

from keras_bert import Tokenizer, get_checkpoint_paths, load_trained_model_from_checkpoint
from keras_bert.tokenizer.vocabulary import load_vocabulary

BATCHES = [["a"], ["a b c d e f g", ("b c", "d")], [("a b", "c"), ("d", "e f g h"), "b"]]
# The README's example on a small model, and what the file gives for other batches.
ONNX = """
import json, sys
import numpy as np
exec(compile(open("example.py").read(), "example.py", "exec"))
for batch in json.loads(sys.argv[1]):
    texts = [text if isinstance(text, str) else tuple(text) for text in batch]
    ids, segments, _ = tokenizer.encode_batch(texts)
    (found,) = session.run(None, {"Input-Token": ids, "Input-Segment": segments})
    print("DISTANCE", np.abs(found - model.predict([ids, segments], verbose=0)).max())
"""


@pytest.mark.slow
@pytest.mark.skipif(RUNTIME not in ("tensorflow", "tf_keras"), reason="TensorFlow's format")
def test_saved_model(tmp_path):
    import tensorflow as tf

    write_hugging_face_folder(tmp_path / "MODEL")
    paths = get_checkpoint_paths(tmp_path / "MODEL")
    model = load_trained_model_from_checkpoint(paths.config, paths.checkpoint, seq_len=None)
    tokenizer = Tokenizer(load_vocabulary(paths.vocab))
    model.export(str(tmp_path / "saved"))
    loaded = tf.saved_model.load(str(tmp_path / "saved"))
    dtype = model.inputs[0].dtype
    for batch in BATCHES:
        ids, segments, _ = tokenizer.encode_batch(batch)
        found = loaded.serve([tf.cast(ids, dtype), tf.cast(segments, dtype)])
        # The same operations on float32 of size 1 or so, compiled differently.
        np.testing.assert_allclose(found, model.predict([ids, segments], verbose=0), atol=1e-5)


@pytest.mark.skipif(RUNTIME != "torch", reason="the same on every runtime; run once")
def test_onnx_as_in_the_readme(tmp_path):
    pytest.importorskip("tf2onnx", reason="needs the extra onnx")
    pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    write_hugging_face_folder(tmp_path / "MODEL")
    config = (tmp_path / "MODEL/config.json").read_text("utf-8")
    # The exact form of GELU, which ONNX has not as one operator.
    (tmp_path / "MODEL/config.json").write_text(config.replace("gelu_new", "gelu"), "utf-8")
    code = example("import onnxruntime")
    code = code.replace("xxx/yyy/uncased_L-12_H-768_A-12", "MODEL").replace("], 512)", "], 16)")
    (tmp_path / "example.py").write_text(code, "utf-8")
    environment = {name: each for name, each in os.environ.items() if name != "TF_KERAS"}
    done = subprocess.run(
        [sys.executable, "-c", ONNX, json.dumps(BATCHES)],
        cwd=tmp_path,
        env={**environment, "KERAS_BACKEND": "tensorflow"},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    size = CONFIG["hidden_size"]
    lines = done.stdout.splitlines()
    assert any(f", {size})" in line for line in lines)
    distances = [float(line.split()[1]) for line in lines if line.startswith("DISTANCE")]
    assert len(distances) == len(BATCHES)
    # float32 of size 1 or so, summed in another order.
    assert max(distances) < 1e-5
