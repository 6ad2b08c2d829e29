"""Names of TensorFlow that only programs for graph mode have use for."""

import ast
import warnings

# Parts of their paths: `tf.Session`, `tf.keras.backend.get_session`.
GRAPH_NAMES = {
    *("Session", "InteractiveSession", "placeholder", "placeholder_with_default"),
    *("get_default_graph", "reset_default_graph", "get_default_session", "gradients"),
    *("global_variables_initializer", "local_variables_initializer", "get_variable"),
    *("variable_scope", "trainable_variables", "global_variables", "get_collection"),
    *("get_session", "simple_save", "builder", "Builder", "build_tensor_info"),
}
# Programs with these are for TensorFlow 2, or for both, and then may not get to the others.
_EAGER_NAMES = (
    *("tensorflow.GradientTape", "tensorflow.config", "tensorflow.contrib.distribute"),
    *("tensorflow.distribute", "tensorflow.enable_eager_execution", "tensorflow.function"),
)
# The same at the end of any path: `tensorflow.compat.v1.enable_eager_execution`, `tensor.numpy`.
_EAGER_ENDINGS = (*(".GradientTape", ".enable_eager_execution", ".enable_v2_behavior", ".numpy"),)
# What `from keras.layers import *` and notebooks leave open.
_USUAL = {"tf": "tensorflow", "K": "tensorflow.keras.backend"}


def graph_name(source: bytes) -> str | None:
    """A name for which a script needs graph mode; None with any that speaks against it."""
    try:
        with warnings.catch_warnings(action="ignore"):
            nodes = list(ast.walk(ast.parse(source)))
        paths = _paths(nodes)
    except (SyntaxError, ValueError, RecursionError):
        return None  # Python will say what is wrong with it
    if any(map(_is_eager_name, paths)):
        return None
    for path in sorted(paths):
        parts = path.split(".")
        # tf.compat is a name of TensorFlow 2.
        if parts[0] == "tensorflow" and "compat" not in parts and GRAPH_NAMES & set(parts):
            return path
    return None


def _is_eager_name(path: str) -> bool:
    return path.endswith(_EAGER_ENDINGS) or any(
        f"{path}.".startswith(f"{name}.") for name in _EAGER_NAMES
    )


def _paths(nodes: list[ast.AST]) -> set[str]:
    """What a script imports or takes from a module, each with the whole path."""
    modules = dict(_USUAL)
    for node in nodes:
        if isinstance(node, ast.Import):
            for each in node.names:
                if each.asname:
                    modules[each.asname] = each.name
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for each in node.names:
                modules[each.asname or each.name] = f"{node.module}.{each.name}"
    paths = set(modules.values())
    return paths | {_path(node, modules) for node in nodes if isinstance(node, ast.Attribute)}


def _path(node: ast.expr, modules: dict[str, str]) -> str:
    """The path of a name or attribute, with modules by their own names."""
    if isinstance(node, ast.Name):
        return modules.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        return f"{_path(node.value, modules)}.{node.attr}"
    return ""
