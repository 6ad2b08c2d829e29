"""Pretrained files to download."""

from .pretrained import PretrainedInfo, PretrainedList, get_pretrained

__all__ = ["PretrainedInfo", "PretrainedList", "get_pretrained"]
