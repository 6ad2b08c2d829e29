"""The guides, and the reference, made from docstrings and from the parser of the command line.

pip install '.[docs]' && sphinx-build -W docs site
"""

import inspect
import re
import sys
from pathlib import Path

from keras_bert import __version__ as release

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS))

project = "Keras BERT"
author = "the keras-bert contributors"
html_title = f"{project} {release}"
html_theme = "furo"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "command_line"]

default_role = "code"  # docstrings write `names` as Markdown does
autodoc_member_order = "bysource"
myst_heading_anchors = 3  # what GitHub makes of headings, which the guides link to
napoleon_numpy_docstring = False
napoleon_custom_sections = [("Call args", "params_style"), "Reference"]


def _own_signature(app, what, name, obj, options, signature, return_annotation):
    """A layer's arguments, where Keras' `__new__` shows none."""
    if what != "class" or signature != "(*args, **kwargs)":
        return None
    parameters = list(inspect.signature(obj.__init__).parameters.values())[1:]
    return str(inspect.Signature(parameters)), return_annotation


def _returns_as_text(app, what, name, obj, options, lines):
    """Write the section Returns as a field: napoleon takes what precedes a colon for a type."""
    if "Returns:" not in lines:
        return
    start = lines.index("Returns:")
    following = (at for at in range(start + 1, len(lines)) if re.match(r"\S", lines[at]))
    end = next(following, len(lines))
    body = inspect.cleandoc("\n".join(["", *lines[start + 1 : end]])).splitlines()
    lines[start:end] = [f":returns: {body[0]}", *(f"    {line}" for line in body[1:]), ""]


def _links_out_of_the_docs(app, name, source):
    """Let links to other files of the project lead to copies of them, and drop those to folders."""
    folder = Path(app.env.doc2path(name)).parent

    def link(match):
        target = (folder / match[2]).resolve()
        if target.is_relative_to(DOCS):
            return match[0]
        return f"[{match[1]}](path:{match[2]})" if target.is_file() else match[1]

    source[0] = re.sub(r"\[([^]]+)\]\((\.\./[^)#]+)\)", link, source[0])


def setup(app):
    """Connect what is above to Sphinx."""
    app.connect("autodoc-process-signature", _own_signature)
    app.connect("autodoc-process-docstring", _returns_as_text, priority=400)  # before napoleon
    app.connect("source-read", _links_out_of_the_docs)
