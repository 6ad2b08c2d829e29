"""Families of models: how a configuration reads and what the weights are called in each file."""

from .configuration import ConfigError, read_config

__all__ = ["ConfigError", "read_config"]
