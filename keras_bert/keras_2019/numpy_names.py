"""Aliases that NumPy 1.20–2.4 has removed."""

import builtins

import numpy as np

from .report import note


def _asfarray(a, dtype=float):
    return np.asarray(a, dtype if np.issubdtype(dtype, np.inexact) else float)


_NAMES = {
    **{name: getattr(builtins, name) for name in ("bool", "int", "float", "complex", "object")},
    **{"str": str, "long": int, "unicode": str},
    **{"float_": np.float64, "complex_": np.complex128, "int0": np.intp, "uint0": np.uintp},
    **{"string_": np.bytes_, "unicode_": np.str_, "object0": np.object_, "bool8": np.bool_},
    **{"singlecomplex": np.complex64, "cfloat": np.complex128, "longfloat": np.longdouble},
    **{"longcomplex": np.clongdouble, "clongfloat": np.clongdouble, "bytes0": np.bytes_},
    **{"str0": np.str_, "void0": np.void, "asfarray": _asfarray},
    **{"Inf": np.inf, "Infinity": np.inf, "infty": np.inf, "PINF": np.inf, "NINF": -np.inf},
    **{"NaN": np.nan, "NAN": np.nan, "PZERO": 0.0, "NZERO": -0.0},
    **{"product": np.prod, "cumproduct": np.cumprod, "alltrue": np.all, "sometrue": np.any},
    **{"round_": np.round, "row_stack": np.vstack, "mat": np.asmatrix},
    **{"in1d": lambda *args, **kwargs: np.isin(*args, **kwargs).ravel()},
    **{"asscalar": lambda a: a.item(), "msort": lambda a: np.sort(a, axis=0)},
    "trapz": np.trapezoid if hasattr(np, "trapezoid") else getattr(np, "trapz", None),
}


def install() -> None:
    """Let NumPy have its old names for scripts that ask for one."""
    original = np.__getattr__

    def __getattr__(name):
        if name in _NAMES:
            note(f"np.{name}")
            setattr(np, name, _NAMES[name])
            return _NAMES[name]
        return original(name)

    np.__getattr__ = __getattr__
