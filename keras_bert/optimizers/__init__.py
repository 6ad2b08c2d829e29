"""Adam with warm-up and the steps it needs to know."""

from .util import calc_train_steps
from .warmup_v2 import AdamWarmup

__all__ = ["AdamWarmup", "calc_train_steps"]
