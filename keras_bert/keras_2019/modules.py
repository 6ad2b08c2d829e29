"""Module paths of Keras that are gone: `keras.engine.topology`, `keras.utils.np_utils`."""

import functools
import importlib.abc
import importlib.util
import pkgutil
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from ..backend import keras
from . import modes
from .report import note

# By the folder in which they were. Keras 2 today has all public names in the folder itself, and
# those that were never public in a module of its sources that still has the old name.
_IN_LAYERS = """advanced_activations convolutional convolutional_recurrent core cudnn_recurrent
    embeddings local merge noise normalization pooling recurrent wrappers"""
_IN_ENGINE = """base_layer input_layer input_spec network node saving sequential topology training
    training_arrays training_generator training_utils"""
_IN_UTILS = """conv_utils data_utils generic_utils io_utils layer_utils losses_utils metrics_utils
    multi_gpu_utils np_utils training_utils vis_utils"""
_MODULES = {
    "keras.engine": ("layers", "models", "utils"),
    **{f"keras.engine.{name}": ("layers", "models", "utils") for name in _IN_ENGINE.split()},
    **{f"keras.layers.{name}": ("layers",) for name in _IN_LAYERS.split()},
    **{f"keras.utils.{name}": ("utils",) for name in _IN_UTILS.split()},
    "keras.objectives": ("losses",),
    **{f"keras.backend.{name}": ("backend",) for name in ("common", "tensorflow_backend")},
    "keras.callbacks.callbacks": ("callbacks",),
}
_SUPPORT = """add_weight batchnorm conv1d conv2d conv3d dense dropout embedding
    gaussiandropout gaussiannoise generator_methods get_updates global_pooling input lstm
    model_constructor multi_input pooling1d pooling2d pooling3d prelu recurrent spatialdropout1d"""
_TENSORFLOW_1_MODULES = ("backend", "layers", "models", "optimizers", "utils")
_API = "tf_keras.api._v2.keras"
_TENSORFLOW_PYTHON = "tensorflow.python.keras"
_INSTEAD = {
    "keras.legacy": "keras.layers",
    "keras.wrappers": "the package scikeras",
    "keras.wrappers.scikit_learn": "the package scikeras",
    "keras.backend.theano_backend": "keras.backend, which is TensorFlow's",
    "keras.backend.cntk_backend": "keras.backend, which is TensorFlow's",
}


class OldModule(ModuleType):
    """A module that is gone, with its names from where they are today.

    Args:
        name: Its path.
        sources: Modules to look for names in, the first first.
        names: Names to where they are today, like "tensorflow:data.AUTOTUNE".
        instead: What stands in the stead of names that are found nowhere.
    """

    def __init__(
        self,
        name: str,
        sources: Sequence[str] = (),
        names: Mapping[str, str] | None = None,
        instead: str = "",
    ):
        super().__init__(name)
        self.__path__: list[str] = []
        self.__dict__.update(_sources=sources, _names=names or {}, _instead=instead)

    @property
    def __all__(self) -> list[str]:
        found = {name for source in self._sources for name in dir(_import(source))}
        return sorted(name for name in found.union(self._names) if not name.startswith("_"))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        path = self.__name__.replace("tensorflow.keras", "keras")
        note(path)
        if name in self._names:
            return pkgutil.resolve_name(self._names[name])
        for module in map(_import, self._sources):
            if hasattr(module, name):
                return getattr(module, name)
        # `from … import …` would hide the message of an AttributeError.
        instead = f" In its stead: {self._instead}." if self._instead else ""
        raise ImportError(f"Keras 2 and TensorFlow 2 have no {path}.{name}.{instead}")


def _unchanged(function):
    """Stand for the decorators of `keras.legacy.interfaces`, which took arguments of Keras 1."""
    return function


def _import(source: str) -> ModuleType | None:
    try:
        return importlib.import_module(source)
    except ModuleNotFoundError:
        return None


def add_module(module: OldModule) -> None:
    """Let a module be imported under its name, and found in the module above it."""
    parent, _, name = module.__name__.rpartition(".")
    sys.modules[module.__name__] = module
    if parent:
        setattr(sys.modules[parent], name, module)


def _tensorflow_python_module(name: str) -> OldModule | None:
    """A module of the Keras that TensorFlow keeps for itself, with the names of Keras 2."""
    old = sys.modules.get(name.replace("python.", ""))
    gone = vars(old)["_sources"] if isinstance(old, OldModule) else ()
    own, public = (name.replace(_TENSORFLOW_PYTHON, path) for path in ("tf_keras.src", _API))
    if not (name in sys.modules or gone or _import(own) or _import(public)):
        return None
    while not _import(public):
        public = public.rpartition(".")[0]
    return OldModule(name, [*gone, public, own])


class _Keras(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """The finder and loader of `keras`, which is Keras 2 and a sign of what the program expects.

    Also of `tensorflow.python.keras.…`, of which TensorFlow has less than it had.
    """

    def find_spec(self, fullname, path, target=None):
        if fullname != "keras" and not (
            fullname.startswith(f"{_TENSORFLOW_PYTHON}.") and _tensorflow_python_module(fullname)
        ):
            return None
        return importlib.util.spec_from_loader(fullname, self, is_package=True)

    def create_module(self, spec):
        if spec.name != "keras":
            return _tensorflow_python_module(spec.name)
        note("keras")
        modes.begin_as_keras()
        for name in [name for name in sys.modules if name.startswith("tensorflow.keras.")]:
            sys.modules[name.removeprefix("tensorflow.")] = sys.modules[name]
        return keras

    def exec_module(self, module):
        pass


def install() -> None:
    """Let `keras`, `tensorflow.keras` and the modules that are gone be imported."""
    for name in [name for name in sys.modules if name.split(".")[0] == "keras"]:
        del sys.modules[name]  # Keras 3, of which TensorFlow itself imports a part
    sys.meta_path.insert(0, _Keras())
    # `tensorflow.keras` is a module of its own, but imports of what is below it would find copies.
    for path in sorted(name for name in sys.modules if name.startswith(f"{_API}.")):
        name = path.removeprefix(f"{_API}.")
        sys.modules[f"tensorflow.keras.{name}"] = functools.reduce(getattr, name.split("."), keras)
    for name, sources in _MODULES.items():
        public = [f"{_API}.{source}" for source in sources]
        own = name.replace("keras", "tf_keras.src", 1)
        add_module(OldModule(f"tensorflow.{name}", [*public, own]))
    for name, instead in _INSTEAD.items():
        add_module(OldModule(f"tensorflow.{name}", instead=instead))
    decorators = {f"legacy_{name}_support": f"{__name__}:_unchanged" for name in _SUPPORT.split()}
    instead = "no decorator: they took the arguments of Keras 1"
    add_module(OldModule("tensorflow.keras.legacy.interfaces", names=decorators, instead=instead))
    if not importlib.util.find_spec("keras_preprocessing"):
        for name in ("", ".image", ".sequence", ".text"):
            source = f"{_API}.preprocessing{name}"
            add_module(OldModule(f"keras_preprocessing{name}", [source]))
    for name in ("keras", *(f"keras.{name}" for name in _TENSORFLOW_1_MODULES)):
        path = f"tensorflow.compat.v1.{name}"  # an attribute of TensorFlow, and no module
        sys.modules[path] = OldModule(path, [f"tf_keras.api._v1.{name}"])
    # TensorFlow keeps a Keras for itself, of which its modules have imported what they need.
    for name in [name for name in sys.modules if f"{name}.".startswith(f"{_TENSORFLOW_PYTHON}.")]:
        add_module(_tensorflow_python_module(name))
