"""Quantized Dense layers in operations that are fast on CPUs and can be written to files.

Keras multiplies matrices of int8 in int32 on a CPU, which takes longer than in float32. PyTorch's
tracer cannot write Keras' custom gradient, and the exporter to ONNX knows `torch.divide` and
`torch.multiply` as `div` and `mul` only.
"""

import torch

from .. import private
from ..parts import keras, ops


def is_int8(dense) -> bool:
    """Whether a layer multiplies 8-bit numbers, with a scale for every row and every unit."""
    if dense.quantization_mode != "int8" or dense.lora_enabled:
        return False
    usual, given = keras.quantizers.AbsMaxQuantizer, dense.inputs_quantizer
    return type(given) is usual and given.get_config() == usual().get_config()


def project_int8(dense, rows):
    """What a layer of `is_int8` makes of rows (B·T, D); the gradient of rounding is 0."""
    rows = ops.cast(rows, dense.compute_dtype)
    scale = 127 / (rows.abs().amax(dim=-1, keepdim=True) + keras.config.epsilon())
    rounded = (rows * scale).round_().to(torch.int8)  # at most 127, as epsilon is not 0
    kernel, kernel_scale, bias = (
        None if weight is None else ops.convert_to_tensor(weight)
        for weight in (dense.kernel, dense.kernel_scale, dense.bias)
    )
    product = _Product.apply if torch.onnx.is_in_onnx_export() else _product
    projected = product(rounded, kernel).to(rows.dtype).div_(scale).div_(kernel_scale)
    if bias is not None:
        projected = projected.add_(bias.to(rows.dtype))
    return projected if dense.activation is None else dense.activation(projected)


def _product(rows, kernel):
    """The product of int8 matrices in int32."""
    multiply = private.int8_product()
    if multiply is None or torch.jit.is_tracing():
        return torch.matmul(rows.int(), kernel.int())
    return multiply(rows, kernel)


class _Product(torch.autograd.Function):
    """The same as ONNX has it; of kernels in int32, files would be as large as of float32."""

    @staticmethod
    def forward(ctx, rows, kernel):
        return _product(rows, kernel)

    @staticmethod
    def symbolic(graph, rows, kernel):
        return graph.op("MatMulInteger", rows, kernel)
