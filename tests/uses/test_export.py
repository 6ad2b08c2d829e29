"""Exported models give what `predict` gives, for batches of any size and length."""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from model_folders import CONFIG, write_hugging_face_folder
from readme_examples import example
from runtimes import RUNTIME
from sentence_folders import write_sentence_folder
from task_folders import TASKS

from keras_bert import (
    get_checkpoint_paths,
    get_model,
    load_sentence_model,
    load_task_model,
    load_trained_model_from_checkpoint,
)
from keras_bert.backend import models
from keras_bert.layers.text_pooling import POOLINGS

RELATIVES = Path(__file__).resolve().parents[1] / "data" / "relatives"
BATCHES = [["a"], ["a b c d e f g", ("b c", "d")], [("a b", "c"), ("d", "e f g h"), "b"]]
# The guide's example on a small model, and what the file gives for other batches.
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


# float32 of size 1 or so, summed in another order or compiled differently.
TOLERANCE = 1e-5
# Shapes (batch, length) that differ from those a model is traced with, and from each other.
SHAPES = [(1, 1), (1, 16), (4, 5), (2, 9)]
on_tensorflow = pytest.mark.skipif(
    RUNTIME not in ("tensorflow", "tf_keras"), reason="TensorFlow's format"
)
on_torch = pytest.mark.skipif(RUNTIME != "torch", reason="PyTorch's exporter")


@pytest.fixture
def model(tmp_path):
    write_hugging_face_folder(tmp_path / "MODEL")
    return loaded(tmp_path / "MODEL")


def loaded(folder, **options):
    paths = get_checkpoint_paths(folder)
    return load_trained_model_from_checkpoint(
        paths.config, paths.checkpoint, seq_len=None, **options
    )


def random_model(embed_dim, segment_num=2):
    inputs, features = get_model(
        token_num=9,
        head_num=2,
        transformer_num=1,
        embed_dim=embed_dim,
        feed_forward_dim=2 * embed_dim,
        seq_len=None,
        pos_num=16,
        segment_num=segment_num,
        training=False,
    )
    return models.Model(inputs, features)


def export(model, path, **options):
    """Keras' export; for files of any length it uses an exporter that PyTorch calls outdated."""
    model.predict(batch(model, 2, 3), verbose=0)  # Keras exports to ONNX what has been called
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.export(str(path), **options)


def quantize(model, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras names every layer that has nothing to quantize
        model.quantize("int8", **options)


def batch(model, rows, length):
    """Token ids, padded, and segment ids."""
    layers = {layer.name: layer for layer in model.layers}
    ids = np.random.RandomState(length).randint(1, 8, (rows, length)).astype("int32")
    ids[1:, length // 2 + 1 :] = 0
    segments = np.zeros_like(ids)
    if "Embedding-Segment" in layers and layers["Embedding-Segment"].input_dim > 1:
        segments[:, length // 2 :] = 1
    return [ids, segments]


def check(model, run, shapes=SHAPES, tolerance=TOLERANCE):
    """What runs the exported model gives on tokens, or for a text, what `predict` gives."""
    for rows, length in shapes:
        ids, segments = batch(model, rows, length)
        expected = model.predict([ids, segments], verbose=0)
        found = np.asarray(run(ids, segments))
        assert found.shape == expected.shape
        counted = ids != 0 if expected.ndim == 3 else slice(None)
        np.testing.assert_allclose(found[counted], expected[counted], atol=tolerance)


def run_onnx(path):
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    session = onnxruntime.InferenceSession(str(path))
    taken = [each.name for each in session.get_inputs()]  # DistilBERT reads no segments

    def run(ids, segments):
        arrays = {"Input-Token": ids, "Input-Segment": segments}
        return session.run(None, {name: arrays[name] for name in taken})[0]

    return run


def run_litert(path):
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:  # TensorFlow has it, too, and warns that it will not for long
        import tensorflow as tf

        Interpreter = tf.lite.Interpreter
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        interpreter = Interpreter(str(path))

    def run(ids, segments):
        for each in interpreter.get_input_details():
            interpreter.resize_tensor_input(each["index"], ids.shape)
        interpreter.allocate_tensors()
        for each in interpreter.get_input_details():
            array = segments if "Input-Segment" in each["name"] else ids
            interpreter.set_tensor(each["index"], array)
        interpreter.invoke()
        return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])

    return run


def run_openvino(path):
    openvino = pytest.importorskip("openvino", reason="needs the extra openvino")
    # On some CPUs it would compute in bfloat16.
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model(str(path), "CPU", exact)
    order = [each.any_name for each in compiled.inputs]

    def run(ids, segments):
        arrays = {"Input-Token": ids, "Input-Segment": segments}
        # From PyTorch the inputs have names of Keras' and are in the order of the model's.
        return compiled([ids, segments] if order == ["input", "input_1"] else arrays)[0]

    assert sorted(order) in (["input", "input_1"], ["Input-Segment", "Input-Token"])
    return run


def run_saved_model(path, dtype):
    import tensorflow as tf

    served = tf.saved_model.load(str(path))
    return lambda *arrays: served.serve([tf.cast(each, dtype) for each in arrays])


@pytest.mark.slow
@pytest.mark.every_runtime
@on_tensorflow
def test_saved_model(model, tmp_path):
    export(model, tmp_path / "saved")
    check(model, run_saved_model(tmp_path / "saved", model.inputs[0].dtype))


@pytest.mark.slow
@pytest.mark.every_runtime
@pytest.mark.skipif(RUNTIME != "tensorflow", reason="Keras 2 quantizes no models")
def test_saved_model_of_8_bits(model, tmp_path):
    quantize(model)
    export(model, tmp_path / "saved")
    check(model, run_saved_model(tmp_path / "saved", "int32"))


@pytest.mark.slow
@pytest.mark.every_runtime
@pytest.mark.skipif(RUNTIME != "jax", reason="JAX' options")
@pytest.mark.parametrize("kind", ["sentences", "sequence", "tokens"])
def test_saved_model_of_jax(kind, tmp_path):
    """Also where GELU is the exact form, as in Hugging Face's files."""
    model = other_model(kind, tmp_path)
    options = {
        "native_serialization": True,
        "polymorphic_shapes": [["(batch, length)"] * 2],
        "polymorphic_constraints": ("length <= 16",),
    }
    export(model, tmp_path / "saved", jax2tf_kwargs=options)
    check(model, run_saved_model(tmp_path / "saved", "int32"))


@on_torch
def test_onnx_of_torch(model, tmp_path):
    pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    export(model, tmp_path / "model.onnx", format="onnx")
    check(model, run_onnx(tmp_path / "model.onnx"))


@on_torch
@pytest.mark.parametrize("format", ["onnx", "openvino"])
def test_8_bits_of_torch(model, tmp_path, format):
    """The file has the numbers of the quantized model; in ONNX its kernels, too, take 8 bits."""
    run, suffix = {"onnx": (run_onnx, "onnx"), "openvino": (run_openvino, "xml")}[format]
    pytest.importorskip({"onnx": "onnxruntime"}.get(format, format))
    quantize(model)
    export(model, tmp_path / f"model.{suffix}", format=format)
    check(model, run(tmp_path / f"model.{suffix}"))
    if format == "onnx":
        onnx = pytest.importorskip("onnx")
        graph = onnx.load(str(tmp_path / "model.onnx")).graph
        kernels = [each for each in graph.initializer if each.data_type == onnx.TensorProto.INT8]
        assert len(kernels) == 6 * CONFIG["num_hidden_layers"]


@on_torch
@pytest.mark.slow
@pytest.mark.parametrize("family", ["albert", "distilbert", "electra", "ernie"])
def test_onnx_of_relatives(family, tmp_path):
    pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    model = loaded(RELATIVES / family)
    export(model, tmp_path / "model.onnx", format="onnx")
    check(model, run_onnx(tmp_path / "model.onnx"), [(1, 1), (3, 7)])


@on_torch
def test_onnx_of_a_model_with_one_segment(tmp_path):
    """Keras traces it with segment ids that are all 1, which its table does not have."""
    pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    model = random_model(embed_dim=4, segment_num=1)
    export(model, tmp_path / "model.onnx", format="onnx")
    check(model, run_onnx(tmp_path / "model.onnx"))


def other_model(kind, folder):
    """A model that ends in vectors or logits."""
    if kind == "sentences":
        dense = [(7, "Tanh"), (5, "Identity")]
        write_sentence_folder(folder / "sentences", POOLINGS, dense)
        return load_sentence_model(folder / "sentences")
    return load_task_model(TASKS / f"bert-{kind}")[0]


@on_torch
@pytest.mark.parametrize("kind", ["sentences", "sequence"])
def test_8_bits_of_torch_below_layers_of_keras(kind, tmp_path):
    """As the guide has it: PyTorch cannot write Keras' own Dense layers in 8 bits."""
    pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    model = other_model(kind, tmp_path)
    quantize(model, filters=lambda layer: layer not in model.layers)
    assert sum(weight.dtype == "int8" for weight in model.weights) == 6 * 2
    export(model, tmp_path / "model.onnx", format="onnx")
    check(model, run_onnx(tmp_path / "model.onnx"))


@pytest.mark.slow
@pytest.mark.every_runtime
@pytest.mark.skipif(RUNTIME not in ("tensorflow", "torch"), reason="formats of Keras 3")
@pytest.mark.parametrize("format", ["onnx", "openvino"])
@pytest.mark.parametrize("kind", ["sentences", "sequence", "tokens"])
def test_models_that_end_in_vectors_or_logits(kind, format, tmp_path):
    run, suffix = {"onnx": (run_onnx, "onnx"), "openvino": (run_openvino, "xml")}[format]
    pytest.importorskip({"onnx": "onnxruntime"}.get(format, format))
    model = other_model(kind, tmp_path)
    export(model, tmp_path / f"model.{suffix}", format=format)
    check(model, run(tmp_path / f"model.{suffix}"))


@pytest.mark.slow
@pytest.mark.every_runtime
@on_tensorflow
def test_saved_model_of_vectors(tmp_path):
    model = other_model("sentences", tmp_path)
    export(model, tmp_path / "saved")
    check(model, run_saved_model(tmp_path / "saved", model.inputs[0].dtype))


@pytest.mark.slow
@pytest.mark.every_runtime
@pytest.mark.skipif(RUNTIME != "tensorflow", reason="of any length on TensorFlow alone")
def test_litert_of_vectors(tmp_path):
    model = other_model("sentences", tmp_path)
    export(model, tmp_path / "model.tflite", format="litert")
    check(model, run_litert(tmp_path / "model.tflite"))


@on_torch
@pytest.mark.slow
def test_onnx_of_a_reader(tmp_path):
    """It has two outputs."""
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    model, _ = load_task_model(TASKS / "bert-answers")
    export(model, tmp_path / "model.onnx", format="onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"))
    for rows, length in SHAPES:
        ids, segments = batch(model, rows, length)
        found = session.run(None, {"Input-Token": ids, "Input-Segment": segments})
        for each, expected in zip(found, model.predict([ids, segments], verbose=0), strict=True):
            np.testing.assert_allclose(each, expected, atol=TOLERANCE)


@pytest.mark.skipif(RUNTIME not in ("tensorflow", "torch"), reason="formats of Keras 3")
def test_openvino(model, tmp_path):
    pytest.importorskip("openvino", reason="needs the extra openvino")
    export(model, tmp_path / "model.xml", format="openvino")
    check(model, run_openvino(tmp_path / "model.xml"))


@pytest.mark.skipif(RUNTIME != "tensorflow", reason="of any length on TensorFlow alone")
def test_litert(model, tmp_path):
    """In LiteRT's own operations, which every build of it has."""
    import tensorflow as tf

    own = {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]}
    export(model, tmp_path / "model.tflite", format="litert", target_spec=own)
    check(model, run_litert(tmp_path / "model.tflite"))


@pytest.mark.skipif(RUNTIME != "tf_keras", reason="converters for Keras 2")
def test_litert_of_keras_2(model, tmp_path):
    import tensorflow as tf

    export(model, tmp_path / "saved")
    converter = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path / "saved"))
    (tmp_path / "model.tflite").write_bytes(converter.convert())
    check(model, run_litert(tmp_path / "model.tflite"))


@pytest.mark.slow
@pytest.mark.every_runtime
@pytest.mark.skipif(RUNTIME != "tf_keras", reason="converters for Keras 2")
def test_openvino_of_keras_2(model, tmp_path):
    openvino = pytest.importorskip("openvino", reason="needs the extra openvino")
    export(model, tmp_path / "saved")
    converted = openvino.convert_model(str(tmp_path / "saved"))
    openvino.save_model(converted, str(tmp_path / "model.xml"), compress_to_fp16=False)
    check(model, run_openvino(tmp_path / "model.xml"))


@pytest.mark.slow
@pytest.mark.every_runtime
@pytest.mark.skipif(RUNTIME != "tensorflow", reason="of any length on TensorFlow alone")
def test_litert_of_8_bits(tmp_path):
    """LiteRT's own quantization, of kernels of more than 1024 numbers."""
    import tensorflow as tf

    model = random_model(embed_dim=48)
    for name, options in {"all": {}, "less": {"optimizations": [tf.lite.Optimize.DEFAULT]}}.items():
        export(model, tmp_path / f"{name}.tflite", format="litert", **options)
    check(model, run_litert(tmp_path / "less.tflite"), tolerance=0.2)
    sizes = [(tmp_path / f"{name}.tflite").stat().st_size for name in ("less", "all")]
    assert sizes[0] < sizes[1]


@on_torch
@pytest.mark.slow
@pytest.mark.parametrize("mode", [None, "int8"])
def test_program_of_torch(model, tmp_path, mode):
    import torch

    if mode is not None:
        quantize(model)
    sizes = {0: torch.export.Dim("batch", max=1024), 1: torch.export.Dim("length", max=16)}
    export(model, tmp_path / "model.pt2", format="torch", dynamic_shapes=[([sizes] * 2,)])
    program = torch.export.load(str(tmp_path / "model.pt2")).module()
    check(model, lambda *arrays: program(list(map(torch.from_numpy, arrays))).detach())


@pytest.mark.skipif(RUNTIME != "torch", reason="the same on every runtime; run once")
def test_onnx_as_in_the_guide(tmp_path):
    pytest.importorskip("tf2onnx", reason="needs the extra onnx")
    pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    write_hugging_face_folder(tmp_path / "MODEL")
    config = (tmp_path / "MODEL/config.json").read_text("utf-8")
    # The exact form of GELU, which ONNX has not as one operator.
    (tmp_path / "MODEL/config.json").write_text(config.replace("gelu_new", "gelu"), "utf-8")
    code = example("import onnxruntime")
    code = code.replace('"tiny"', '"MODEL"').replace("], 512)", "], 16)")
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
    assert max(distances) < TOLERANCE
