"""Adam with warm-up, and the numbers of steps to pass to it."""

from .util import calc_train_steps
from .warmup_v2 import AdamWarmup

__all__ = ["AdamWarmup", "calc_train_steps"]
