"""The API reference, made from the docstrings.

pip install '.[docs]' && sphinx-build -W docs site
"""

import inspect

from keras_bert import __version__ as release

project = "Keras BERT"
author = "the keras-bert contributors"
html_title = f"{project} {release}"
html_theme = "furo"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]

default_role = "code"  # docstrings write `names` as Markdown does
autodoc_member_order = "bysource"
napoleon_numpy_docstring = False
napoleon_custom_sections = [("Call args", "params_style"), "Reference"]


def _own_signature(app, what, name, obj, options, signature, return_annotation):
    """A layer's arguments, where Keras' `__new__` shows none."""
    if what != "class" or signature != "(*args, **kwargs)":
        return None
    parameters = list(inspect.signature(obj.__init__).parameters.values())[1:]
    return str(inspect.Signature(parameters)), return_annotation


def setup(app):
    """Connect what is above to Sphinx."""
    app.connect("autodoc-process-signature", _own_signature)
