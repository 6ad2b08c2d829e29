"""Families of models: how a configuration reads, and what the weights are called in each file.

A family is a file with one `Family` in it, such as `bert.py`, and an entry in `FAMILIES`.
"""

from __future__ import annotations

from typing import Any

from .bert import BERT
from .family import ConfigError, Family

__all__ = ["BERT", "FAMILIES", "ConfigError", "Family", "family_of"]

FAMILIES = (BERT,)


def family_of(config: dict[str, Any]) -> Family:
    """Return the family that a configuration names, checked or not.

    One that names none is Google's and BERT's; one that names another is for BERT's checks to
    refuse.
    """
    named = [family for family in FAMILIES if family.model_type == config.get("model_type")]
    return named[0] if named else BERT
