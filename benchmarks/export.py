"""What exported models cost and how close they are: a table of runtimes and formats.

    pip install '.[torch,onnx,litert,openvino]'
    python benchmarks/export.py MODEL [--batch 8] [--length 128] [--repeats 10]

MODEL is a folder with weights. Each runtime, a process of its own, exports the encoder with
`seq_len=None` in every format that it writes for any batch and length, runs the file by the
format's own engine on a batch of random ids, a third of it padding, and prints the largest
difference to `predict` on tokens, the size of the file in MB, and the milliseconds of a batch in
the engine and, before that, of `predict_on_batch` on the runtime, medians. Lines with "int8"
are of `model.quantize("int8")`, compared with what the quantized model predicts.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

FORMATS = {
    "tensorflow": ["SavedModel", "ONNX", "LiteRT", "OpenVINO", "SavedModel int8", "ONNX int8"],
    "torch": ["ONNX", "OpenVINO", "program", "ONNX int8", "program int8"],
    "jax": ["SavedModel"],
}
NAMES = "Input-Token", "Input-Segment"


def saved_model(model, path, most):
    import tensorflow as tf

    options = {}
    if os.environ["KERAS_BACKEND"] == "jax":
        options["jax2tf_kwargs"] = {
            "native_serialization": True,
            "polymorphic_shapes": [["(batch, length)"] * 2],
            "polymorphic_constraints": (f"length <= {most}",),
        }
    model.export(str(path), verbose=False, **options)
    served = tf.saved_model.load(str(path))
    return lambda arrays: served.serve([tf.constant(each) for each in arrays]).numpy()


def onnx(model, path, most):
    import onnxruntime

    model.export(str(path), format="onnx", verbose=False)
    session = onnxruntime.InferenceSession(str(path))
    taken = [each.name for each in session.get_inputs()]

    def run(arrays):
        given = dict(zip(NAMES, arrays, strict=True))
        return session.run(None, {name: given[name] for name in taken})[0]

    return run


def litert(model, path, most):
    from ai_edge_litert.interpreter import Interpreter

    model.export(str(path), format="litert", verbose=False)
    interpreter = Interpreter(str(path), num_threads=os.cpu_count())

    def run(arrays):
        inputs = interpreter.get_input_details()
        if tuple(inputs[0]["shape"]) != arrays[0].shape:
            for each in inputs:
                interpreter.resize_tensor_input(each["index"], arrays[0].shape)
            interpreter.allocate_tensors()
        for each in inputs:
            interpreter.set_tensor(each["index"], arrays[NAMES[1] in each["name"]])
        interpreter.invoke()
        return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])

    return run


def openvino(model, path, most):
    import openvino

    model.export(str(path), format="openvino", verbose=False)
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model(str(path), "CPU", exact)
    return lambda arrays: compiled(arrays)[0]


def program(model, path, most):
    import torch

    sizes = {0: torch.export.Dim("batch", max=4096), 1: torch.export.Dim("length", max=most)}
    options = {"dynamic_shapes": [([sizes] * 2,)], "verbose": False}
    model.export(str(path), format="torch", **options)
    run = torch.export.load(str(path)).module()

    def call(arrays):
        with torch.no_grad():
            return run([torch.from_numpy(each) for each in arrays]).numpy()

    return call


WRITERS = {
    "SavedModel": (saved_model, "saved"),
    "ONNX": (onnx, "model.onnx"),
    "LiteRT": (litert, "model.tflite"),
    "OpenVINO": (openvino, "model.xml"),
    "program": (program, "model.pt2"),
}


def size_of(folder: Path) -> float:
    return sum(each.stat().st_size for each in folder.rglob("*") if each.is_file()) / 1e6


def median_ms(call, repeats: int) -> float:
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return 1000 * float(np.median(times))


def measure(arguments, form: str) -> str:
    """A line of the table, of this process's runtime and one format."""
    from keras_bert import get_checkpoint_paths, load_trained_model_from_checkpoint

    paths = get_checkpoint_paths(arguments.model)
    model = load_trained_model_from_checkpoint(paths.config, paths.checkpoint, seq_len=None)
    layers = {layer.name: layer for layer in model.layers}
    if form.endswith("int8"):
        model.quantize("int8")
    random = np.random.RandomState(0)
    shape = arguments.batch, arguments.length
    ids = random.randint(1, layers["Embedding-Token"].input_dim, shape).astype("int32")
    ids[:, 1:][random.uniform(size=(shape[0], 1)) < np.linspace(0, 1, shape[1] - 1) ** 2] = 0
    arrays = [ids, np.zeros_like(ids)]
    expected = model.predict_on_batch(arrays)
    runtime = median_ms(lambda: model.predict_on_batch(arrays), arguments.repeats)
    write, name = WRITERS[form.removesuffix(" int8")]
    with tempfile.TemporaryDirectory() as scratch:
        most = layers["Embedding-Position"].input_dim
        run = write(model, Path(scratch, name), most)
        size = size_of(Path(scratch))
        found = run(arrays)
        engine = median_ms(lambda: run(arrays), arguments.repeats)
    distance = np.abs(found - expected)[ids != 0].max()
    return f"{distance:.1e} | {size:.1f} | {engine:.1f} | {runtime:.1f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", help="folder with weights")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--length", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--form", help=argparse.SUPPRESS)  # what one process of it measures
    arguments = parser.parse_args()
    if arguments.form:
        warnings.simplefilter("ignore")
        print("LINE", measure(arguments, arguments.form))
        return
    print("| runtime | format | largest difference | MB | ms, engine | ms, predict |")
    print("|---|---|---|---|---|---|", flush=True)
    for runtime, forms in FORMATS.items():
        for form in forms:
            done = subprocess.run(
                [sys.executable, __file__, *sys.argv[1:], "--form", form],
                env={**os.environ, "KERAS_BACKEND": runtime},
                capture_output=True,
                text=True,
            )
            lines = [line for line in done.stdout.splitlines() if line.startswith("LINE ")]
            line = lines[0].removeprefix("LINE ") if lines else done.stderr.strip()[-200:]
            print(f"| {runtime} | {form} | {line} |", flush=True)


if __name__ == "__main__":
    main()
