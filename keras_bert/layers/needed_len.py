"""Layers whose output nobody reads at padding."""

from __future__ import annotations


class NeededLen:
    """Mixin for layers that may leave masked positions out, because nobody reads them.

    Attributes:
        needed_len: How many of the first positions are read even where they are masked. Features at
            the other masked positions may come out as 0. None: all are read. `get_model` sets it
            where `output_len` allows it; files do not have it.
    """

    needed_len: int | None = None

    @classmethod
    def from_config(cls, config):
        # Files of version 1.0.0 have it.
        return super().from_config({key: config[key] for key in config if key != "needed_len"})
