"""Runs notebooks: reads [[notebook, parameters, names of results], …] as JSON from stdin.

All run in one process, and without Jupyter: their cells are plain Python, and starting Jupyter and
Keras for each of them would take most of the time (76 s for all instead of 16). What a notebook
changes for the whole process is put back after it. The arrays named go into results.npz and what
was printed into output.json, in the current folder and by the notebook's stem.
"""

import ast
import contextlib
import io
import json
import sys
from pathlib import Path

import numpy as np


def code_cells(notebook):
    """Source and tags of every code cell."""
    cells = json.loads(Path(notebook).read_text("utf-8"))["cells"]
    return [
        ("".join(cell["source"]), cell["metadata"].get("tags", []))
        for cell in cells
        if cell["cell_type"] == "code"
    ]


def execute(notebook, parameters):
    """The names that a notebook leaves behind, run with other parameters."""
    names = {"__name__": "__main__"}
    for source, tags in code_cells(notebook):
        exec(compile(source, str(notebook), "exec"), names)
        if "parameters" in tags:
            unknown = set(parameters) - assigned(source)
            assert not unknown, f"{notebook} has no parameters {unknown}"
            names.update(parameters)
    return names


def assigned(source):
    """Names that a cell's own lines give a value to."""
    statements = [each for each in ast.parse(source).body if isinstance(each, ast.Assign)]
    return {target.id for each in statements for target in each.targets}


def main():
    results, output = {}, {}
    for notebook, parameters, wanted in json.load(sys.stdin):
        stem, printed = Path(notebook).stem, io.StringIO()
        with contextlib.redirect_stdout(printed):
            names = execute(notebook, parameters)
        results |= {f"{stem}/{name}": np.asarray(names[name]) for name in wanted}
        output[stem] = printed.getvalue()
        import keras  # the notebook has chosen the backend

        keras.distribution.set_distribution(None)
        keras.config.set_dtype_policy("float32")
    np.savez("results.npz", **results)
    Path("output.json").write_text(json.dumps(output), "utf-8")


if __name__ == "__main__":
    main()
