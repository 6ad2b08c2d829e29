"""Programs of 2018–2021 as they stand, on Keras 2 (`tf_keras`)."""

import os

from ..backend import use_keras_2

_installed = False


def install(graph: bool | None = None) -> None:
    """Give the rest of this program the Keras, TensorFlow and NumPy names of 2018–2021.

    `import keras` and `tensorflow.keras` are Keras 2 from then on, under all the module paths that
    it once had (`keras.engine.topology`, `keras.utils.np_utils`, …). Put in place are the
    optimizers with `lr` and `decay`, `acc` and `val_acc` in logs, `CuDNNLSTM` and `CuDNNGRU`, the
    defaults of Keras 2.3 where the program imports `keras`, `multi_gpu_model`, `keras_contrib`'s
    CRF, TensorFlow 1's names (`tf.Session`, `tf.placeholder`, parts of `tf.contrib`) and the
    aliases that NumPy has removed. `keras.__version__` is "2.6.0", the last that such programs
    know. A name that cannot be had raises an ImportError that says what stands in its stead. Lambda
    layers in files, which may run any code, are loaded without `safe_mode=False`, as they were
    then. When the program ends, a line on stderr says what of this it has used.

    Processes that the program forks have all this, too. Those that start anew (`spawn`, Python's
    default on macOS and Windows) have none of it: their code must call `install`.

    Programs that import `keras` get what Keras 2.3 had by default. Keras 2.4 to 2.6 had
    TensorFlow's: `GRU(reset_after=True)`, and 0.001 as the learning rate of all optimizers.

    Call it before Keras or TensorFlow are imported. `python -m keras_bert run SCRIPT` does so for a
    script as it stands.

    Args:
        graph: Whether TensorFlow runs in graph mode, as TensorFlow 1 did. By default it does from
            the moment at which the program imports `keras`, which knew no other mode, or asks for a
            name such as `tf.Session` before it has built a layer; and programs on
            `tensorflow.keras` run eagerly.

    Raises:
        ImportError: If `tf_keras` is not installed, or Keras 3 is in use in this process.

    Example:
        >>> from keras_bert import keras_2019
        >>> keras_2019.install()  # doctest: +SKIP
        >>> from keras.optimizers import Adam  # doctest: +SKIP
        >>> Adam(lr=2e-5)  # doctest: +SKIP
    """
    global _installed
    # TensorFlow's C++ code else says much of what graph mode and .h5 files always do. It reads this
    # once, when TensorFlow is imported.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    use_keras_2()
    from . import (
        contrib,
        defaults,
        keras_aliases,
        keras_names,
        layer_attributes,
        model_attributes,
        modes,
        modules,
        numpy_names,
        optimizer_classes,
        report,
        sessions,
        tensorflow_names,
        weight_files,
    )

    if not _installed:
        modes.install()
        sessions.install()
        numpy_names.install()
        tensorflow_names.install()
        keras_aliases.install()
        keras_names.install()
        defaults.install()
        weight_files.install()
        layer_attributes.install()
        model_attributes.install()
        optimizer_classes.install()
        modules.install()
        contrib.install()
        report.at_exit()
        _installed = True
    modes.choose(graph)


def needs_graph_mode(error: BaseException) -> bool:
    """Whether a program that executes eagerly has ended with an error of what needs graph mode."""
    from . import modes

    signs = ("Session graph is empty", "eager execution", "graph mode (--graph)")
    return not modes.in_graph_mode() and any(sign in str(error) for sign in signs)


def needs_eager_execution(error: BaseException) -> bool:
    """Whether a program in graph mode has ended with an error that eager execution may not have."""
    from . import modes

    signs = (
        "You must feed a value for placeholder tensor",
        "Connecting to invalid output",
        "numpy() is only available when eager execution is enabled",
        "object has no attribute 'numpy'",
        "only supports Python-style iteration in eager mode",
    )
    return modes.in_graph_mode() and any(sign in str(error) for sign in signs)
