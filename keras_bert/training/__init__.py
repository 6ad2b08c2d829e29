"""Pretraining: batches and losses; losses of sentence models; models on several devices."""

from .distribution import layout_map
from .losses import MaskedCrossentropy
from .pretraining import compile_model, gen_batch_inputs, get_base_dict
from .sentence_losses import CoSENT, InBatchNegatives

__all__ = ["MaskedCrossentropy", "compile_model", "gen_batch_inputs", "get_base_dict", "layout_map"]
__all__ += ["CoSENT", "InBatchNegatives"]
