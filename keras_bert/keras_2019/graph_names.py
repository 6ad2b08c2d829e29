"""Names of TensorFlow that only programs for graph mode have use for."""

import ast

# Parts of their paths: `tf.Session`, `tf.keras.backend.get_session`.
OF_GRAPHS = {
    *("Session", "InteractiveSession", "placeholder", "placeholder_with_default"),
    *("get_default_graph", "reset_default_graph", "get_default_session", "gradients"),
    *("global_variables_initializer", "local_variables_initializer", "get_variable"),
    *("variable_scope", "trainable_variables", "global_variables", "get_collection"),
    *("get_session", "simple_save", "builder", "Builder", "build_tensor_info"),
}
# Programs with these are for TensorFlow 2, or for both, and then may not get to the others.
_OF_EAGER_EXECUTION = (
    *("tensorflow.GradientTape", "tensorflow.config", "tensorflow.contrib.distribute"),
    *("tensorflow.distribute", "tensorflow.enable_eager_execution", "tensorflow.function"),
)
# What `from keras.layers import *` and notebooks leave open.
_USUAL = {"tf": "tensorflow", "K": "tensorflow.keras.backend"}


def is_for_graphs(source: bytes) -> bool:
    """Whether a script uses such names, and none that speaks against graph mode."""
    try:
        nodes = list(ast.walk(ast.parse(source)))
        paths = _paths(nodes)
    except (SyntaxError, ValueError, RecursionError):
        return False  # Python will say what is wrong with it
    # tf.compat is a name of TensorFlow 2.
    parts = [set(path.split(".")) for path in paths if path.startswith("tensorflow.")]
    has_graphs = any(each & OF_GRAPHS and "compat" not in each for each in parts)
    return has_graphs and not any(
        f"{path}.".startswith(f"{name}.") for path in paths for name in _OF_EAGER_EXECUTION
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
