"""How fast BERT-base computes features, next to four peers and to the matrix products alone.

    pip install keras-hub transformers onnx onnxscript onnxruntime
    python benchmarks/forward.py [--shapes 1x128 8x128 32x32 4x512] [--dtype float32] [--rounds 5]
        [--calls 3] [--activation gelu_erf] [--old-python OLD/bin/python] [--only NAME …]

A model of 12 layers of 768 with random weights; texts fill half of a row or more. GELU is
transformers' erf form, or with `--activation gelu` the tanh form, which KerasHub always computes.
OLD is a virtual environment with keras-bert 0.89.0 and tensorflow-cpu 2.15.1, which knows float32
only. Peers that are not installed do not take part. "products" are the model's matrix products and
nothing else, by PyTorch, into arrays made before: the least that a call could take. Where there is
a GPU, all but ONNX Runtime (which then takes no part) and keras-bert 0.89 use it; a call starts and
ends with NumPy arrays. Keras models run by `predict_on_batch`, the others by what their documents
say. Printed are, for each shape, texts × tokens, the median milliseconds of a call and GFLOP/s of
the products, and the largest resident memory.
"""

from __future__ import annotations

import argparse
import importlib.util

import torch
from turns import KERAS_HUB, RUNTIMES, Contestant, print_machine, print_table, take_turns, typical

OLD = "keras-bert 0.89"
LAYERS, SIZE, HIDDEN = 12, 768, 3072


def start(options: argparse.Namespace) -> dict[str, Contestant]:
    """Start everyone who is installed and wanted."""
    in_float32 = options.dtype == "float32"
    words = [options.dtype, options.calls, options.activation]
    contestants = {
        name: ("forward_keras_bert.py", words, settings) for name, settings in RUNTIMES.items()
    }
    if importlib.util.find_spec("transformers"):
        contestants["transformers, PyTorch"] = "forward_transformers.py", words
        onnx = all(map(importlib.util.find_spec, ("onnxruntime", "onnxscript")))
        if onnx and in_float32 and not torch.cuda.is_available():
            contestants["transformers, ONNX Runtime"] = "forward_onnx_runtime.py", words
    if importlib.util.find_spec("keras_hub"):
        for name, settings in KERAS_HUB.items():
            contestants[name] = "forward_keras_hub.py", words, settings
    contestants["products"] = "forward_products.py", words
    if options.old_python and in_float32:
        words = ["float32", options.calls, "gelu"]  # it has one form of GELU
        contestants[OLD] = "forward_keras_bert.py", words, {}, options.old_python
    return {
        name: Contestant(*arguments)
        for name, arguments in contestants.items()
        if not options.only or name in options.only
    }


def flops(texts: int, length: int) -> int:
    """Additions and multiplications in the matrix products."""
    dense = 2 * texts * length * (4 * SIZE * SIZE + 2 * SIZE * HIDDEN)
    attention = 2 * 2 * texts * length * length * SIZE
    return LAYERS * (dense + attention)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shapes", nargs="+", default=["1x128", "8x128", "32x32", "4x512"])
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=3, help="calls of a turn")
    parser.add_argument("--activation", default="gelu_erf", choices=["gelu_erf", "gelu"])
    parser.add_argument("--old-python")
    parser.add_argument("--only", nargs="+")
    arguments = parser.parse_args()
    contestants = start(arguments)
    cells = {name: [name] for name in contestants}
    for shape in arguments.shapes:
        texts, length = map(int, shape.split("x"))
        for name, seconds in take_turns(contestants, arguments.rounds, texts, length).items():
            call = typical(seconds) / arguments.calls
            cells[name].append(f"{call * 1000:.3g}")
            cells[name].append(f"{flops(texts, length) / call / 1e9:.0f}")
    for name, contestant in contestants.items():
        cells[name].append(f"{contestant.memory / 2**20:.2f} GiB")
        contestant.close()
    print_machine(
        *("keras", "tensorflow", "tf_keras", "jax", "torch"),
        *("transformers", "onnxruntime", "keras-hub"),
    )
    titles = [title for shape in arguments.shapes for title in (f"{shape} ms", "GFLOP/s")]
    print_table(["", *titles, "memory"], cells.values())


if __name__ == "__main__":
    main()
