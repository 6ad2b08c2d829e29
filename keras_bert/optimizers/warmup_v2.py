"""Adam with warm-up, linear decay of the learning rate and decoupled weight decay."""

from __future__ import annotations

import contextlib
import math
import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..arguments import check_number
from ..backend import (
    FOREIGN_OPTIMIZER_SETTINGS,
    FusedUpdate,
    Optimizer,
    forms_of,
    ops,
    precision_of,
    serializable,
    set_values,
)
from .weight_names import layer_prefix, weight_name

_DEFAULT_LEARNING_RATE = 0.001


@serializable
class AdamWarmup(FusedUpdate, Optimizer):
    """Adam whose learning rate first rises, then falls, linearly, with decoupled weight decay.

    At step t, counted from 1, the learning rate is `learning_rate·t / warmup_steps` during the
    warm-up and `min_lr + (learning_rate − min_lr)·(1 − min(t, decay_steps) / decay_steps)` after
    it. A weight w with gradient g then takes the step

        m = β1·m + (1 − β1)·g
        v = β2·v + (1 − β2)·g²
        w = w − rate·sqrt(1 − β2ᵗ) / (1 − β1ᵗ)·(m / (sqrt(v) + ε) + weight_decay·w)

    Args:
        decay_steps: Step at which the learning rate reaches `min_lr`, counted from the very first.
        warmup_steps: Number of steps of the warm-up.
        min_lr: Learning rate at the end.
        learning_rate: Peak of the learning rate, also accepted as `lr`. It can be read and set as
            `optimizer.learning_rate` at any time.
        beta_1: Decay β1 of the first moment.
        beta_2: Decay β2 of the second moment.
        epsilon: Constant ε added to the root of the second moment.
        weight_decay: Factor of the weight decay; 0 or None for none.
        weight_decay_pattern: Substrings of the names of the weights to decay, or None for all. The
            names are those of keras-bert 0.89 on every runtime (see `weight_name`): `Wq`, `bq` …
            `Wo`, `bo` in attention, `W1`, `b1`, `W2`, `b2` in feed-forward layers, `gamma`, `beta`,
            `embeddings`, `kernel`, `bias` elsewhere. On Keras 3, attention and feed-forward layers
            are recognized by the names that `get_model` gives them; the weights of others are
            called `query/kernel`, `hidden/bias` and so on.
        amsgrad: Whether to divide by the largest v so far.
        name: Name of the optimizer.
        learning_rate_factors: Dict of beginnings of layer names, such as "Encoder-1-" or
            "Embedding", to factors by which the learning rate of these layers is multiplied, for
            layer-wise learning rates. The longest beginning counts; other layers have factor 1.
        **kwargs: Arguments of the base class, such as `clipnorm`, `clipvalue`, `global_clipnorm`,
            `use_ema` and, on Keras 3, `gradient_accumulation_steps` and `loss_scale_factor`.

    Raises:
        TypeError: If a number of steps or `min_lr` is no number.
        ValueError: If a number of steps is out of range, the learning rate is not a number or
            given twice, it, `min_lr` or a factor is negative, or `decay`, which old versions of
            Keras knew, is not 0.

    Example:
        >>> from keras_bert import AdamWarmup, calc_train_steps
        >>> total, warmup = calc_train_steps(num_example=1024, batch_size=32, epochs=10)
        >>> optimizer = AdamWarmup(total, warmup, lr=1e-3, min_lr=1e-5)
        >>> [round(optimizer.learning_rate_at(step), 6) for step in (1, 16, 32, 320)]
        [3.1e-05, 0.0005, 0.001, 1e-05]

    Reference:
        Kingma and Ba, Adam, https://arxiv.org/abs/1412.6980; Loshchilov and Hutter, Decoupled
        Weight Decay Regularization, https://arxiv.org/abs/1711.05101; Reddi et al., On the
        Convergence of Adam and Beyond (AMSGrad), https://arxiv.org/abs/1904.09237
    """

    def __init__(
        self,
        decay_steps: int,
        warmup_steps: int,
        min_lr: float = 0.0,
        learning_rate: float = _DEFAULT_LEARNING_RATE,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        weight_decay: float | None = 0.0,
        weight_decay_pattern: str | Sequence[str] | None = None,
        amsgrad: bool = False,
        name: str = "AdamWarmup",
        *,
        learning_rate_factors: Mapping[str, float] | None = None,
        **kwargs: Any,
    ):
        for argument, value in (
            ("decay_steps", decay_steps),
            ("warmup_steps", warmup_steps),
            ("min_lr", min_lr),
        ):
            check_number(argument, value)
        if min_lr < 0:
            raise ValueError(f"`min_lr` must not be negative. Received: min_lr={min_lr}.")
        learning_rate = _peak(learning_rate, kwargs.pop("lr", None), kwargs.pop("decay", 0.0))
        if not decay_steps > 0 or warmup_steps < 0:
            raise ValueError(
                "`decay_steps` must be positive and `warmup_steps` not negative. "
                f"Received: decay_steps={decay_steps}, warmup_steps={warmup_steps}."
            )
        if warmup_steps > decay_steps:
            warnings.warn(
                "AdamWarmup(decay_steps, warmup_steps): the learning rate would still rise at the "
                "step where it is to have fallen. "
                f"Received: decay_steps={decay_steps}, warmup_steps={warmup_steps}.",
                stacklevel=2,
            )
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.decay_steps = decay_steps
        self.warmup_steps = warmup_steps
        self.min_lr = min_lr
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.weight_decay = weight_decay
        if isinstance(weight_decay_pattern, str):
            weight_decay_pattern = [weight_decay_pattern]
        self.weight_decay_pattern = weight_decay_pattern
        self.amsgrad = amsgrad
        self.learning_rate_factors = _checked_factors(learning_rate_factors)
        self._built = False
        self._saved_weights = None

    # The base class would decay weights, too, when it applies gradients: then it sees no factor.
    _hides_weight_decay = False
    _weight_decay = None
    _excluded_from_decay = ((), ())

    @property
    def weight_decay(self):
        """Factor of the weight decay; what is compiled already keeps the one that it had."""
        return None if self._hides_weight_decay else self._weight_decay

    @weight_decay.setter
    def weight_decay(self, value):
        self._weight_decay = value

    @contextlib.contextmanager
    def _hiding_weight_decay(self):
        self._hides_weight_decay = True
        try:
            yield
        finally:
            self._hides_weight_decay = False

    def exclude_from_weight_decay(self, var_list=None, var_names=None):
        """Exempt variables from weight decay before the first step, as every optimizer of Keras."""
        super().exclude_from_weight_decay(var_list, var_names)
        self._excluded_from_decay = (tuple(map(id, var_list or ())), tuple(var_names or ()))

    @property
    def lr(self):
        """Another name of `learning_rate`, as in old versions of Keras."""
        return self.learning_rate

    @lr.setter
    def lr(self, value):
        self.learning_rate = value

    def learning_rate_at(self, step) -> float:
        """The learning rate of a step, counted from 1, given the present peak."""
        peak = ops.cast(self.learning_rate, "float32")
        return float(ops.convert_to_numpy(self._rate(peak, ops.cast(step, "float32"))))

    def build(self, variables):
        """Create the moments of every variable."""
        if self._built or not variables:  # Keras 3 passes none when it loads a compiled .h5 file
            return
        with self._outside_graphs():
            super().build(variables)
            self._momentums = self._add_slots(variables, "momentum")
            self._velocities = self._add_slots(variables, "velocity")
            if self.amsgrad:
                self._largest_velocities = self._add_slots(variables, "largest_velocity")
            self._decays = [self._is_decayed(variable) for variable in variables]
            self._factors = self._factors_of(variables)
            self.indices = {
                id(each): index
                for index, variable in enumerate(variables)
                for each in forms_of(variable)
            }
            self._built = True
            self._set_saved_weights()

    def _add_slots(self, variables, name):
        return [self.add_variable_from_reference(variable, name) for variable in variables]

    def _is_decayed(self, variable) -> bool:
        excluded, patterns = self._excluded_from_decay
        if id(variable) in excluded or any(
            re.search(pattern, variable.name) for pattern in patterns
        ):
            return False
        pattern, name = self.weight_decay_pattern, weight_name(variable)
        return pattern is None or any(part in name for part in pattern)

    def _decay(self, index) -> float:
        """The factor by which a variable decays."""
        return (self._weight_decay or 0.0) if self._decays[index] else 0.0

    def _factors_of(self, variables) -> list[float]:
        factors = self.learning_rate_factors or {}
        found = [layer_prefix(variable, factors) for variable in variables]
        unmatched = sorted(set(factors) - set(found))
        if unmatched:
            warnings.warn(
                f"`learning_rate_factors` applies to no trainable weight by {unmatched}.",
                stacklevel=3,
            )
        return [1.0 if prefix is None else factors[prefix] for prefix in found]

    def update_step(self, gradient, variable, learning_rate=None):
        """Update a variable and its moments; Keras 3 passes the peak of the learning rate."""
        if learning_rate is None:
            learning_rate = self.learning_rate
        index = self._index(variable)
        step_size = self._step_size(learning_rate, variable.dtype) * self._factors[index]
        step_size = ops.cast(step_size, variable.dtype)
        gradient = ops.cast(gradient, variable.dtype)
        if self._is_fused(variable.dtype):
            self._fused_update(variable, gradient, index, step_size)
            return
        first = _updated(self._momentums[index], gradient, self.beta_1)
        second = _updated(self._velocities[index], ops.square(gradient), self.beta_2)
        if self.amsgrad:
            largest = self._largest_velocities[index]
            second = ops.maximum(ops.convert_to_tensor(largest), second)
            largest.assign(second)
        change = first / (ops.sqrt(second) + self.epsilon)
        if decay := self._decay(index):
            change = change + ops.convert_to_tensor(variable) * decay
        variable.assign_sub(change * step_size)

    def _step_size(self, peak, dtype):
        """This step's learning rate times the correction of both moments' bias."""
        # Variables of 16 bits, too, need t and the powers of beta in full precision.
        precision = precision_of(dtype)
        peak, step = ops.cast(peak, precision), ops.cast(self.iterations + 1, precision)
        betas = self.beta_1, self.beta_2
        if self._is_fused(dtype):  # the kernel's moments decay by rounded factors
            betas = map(float, np.array(betas, precision))
        first, second = (_one_minus_power(beta, step) for beta in betas)
        return self._rate(peak, step) * ops.sqrt(second) / first

    def _rate(self, peak, step):
        """The learning rate of a step, all tensors of one float type."""
        rising = peak * step / max(self.warmup_steps, 1)
        left = self.decay_steps - ops.minimum(step, ops.cast(self.decay_steps, step.dtype))
        falling = self.min_lr + (peak - self.min_lr) * left / self.decay_steps
        return ops.where(step <= self.warmup_steps, rising, falling)

    def set_weights(self, weights):
        """Set step, learning rate and moments, at once or, before `build`, as soon as it happens.

        Arrays are in the order of `variables`, of which the first counts the steps, or the batches
        where gradients are accumulated; files of Keras 2 lack the learning rate.
        """
        weights = [np.asarray(weight) for weight in weights]
        if not self._built:
            self._saved_weights = weights
            if weights and weights[0].shape == () and weights[0].dtype.kind == "i":
                set_values([(self.variables[0], weights[0])])
            return
        weights = self._complete(weights)
        expected = [tuple(variable.shape) for variable in self.variables]
        received = [weight.shape for weight in weights]
        if expected != received:
            raise ValueError(
                "These are not the weights of this optimizer. Expected arrays of shapes "
                f"{expected}. Received: {received}."
            )
        super().set_weights(weights)

    def _set_saved_weights(self):
        weights, self._saved_weights = self._saved_weights, None
        if weights is None:
            return
        try:
            self.set_weights(weights)
        except ValueError as error:
            set_values([(self.variables[0], 0)])
            warnings.warn(f"The optimizer starts anew. {error}", stacklevel=2)

    def get_config(self):
        own = (
            *("decay_steps", "warmup_steps", "min_lr", "beta_1", "beta_2", "epsilon"),
            *("weight_decay_pattern", "amsgrad", "learning_rate_factors"),
        )
        config = {**super().get_config(), **self._learning_rate_to_save()}
        config |= {name: getattr(self, name) for name in own}
        return config | {"weight_decay": self._weight_decay}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        known = {
            key: value
            for key, value in config.items()
            if value not in FOREIGN_OPTIMIZER_SETTINGS.get(key, [])
        }
        return super().from_config(known, custom_objects)


def _peak(learning_rate, lr, decay) -> float:
    """Check `learning_rate`, its other name, and `decay`, which old configurations hold."""
    if lr is not None:
        if learning_rate not in (_DEFAULT_LEARNING_RATE, lr):
            raise ValueError(
                "`lr` is another name of `learning_rate`: give one of them. "
                f"Received: lr={lr}, learning_rate={learning_rate}."
            )
        learning_rate = lr
    if decay:
        raise ValueError(
            "AdamWarmup decays the learning rate by its own rule; use `decay_steps` and `min_lr` "
            f"instead of `decay`. Received: decay={decay}."
        )
    try:
        check_number("learning_rate", learning_rate)
        peak = float(learning_rate)
    except TypeError:
        raise ValueError(
            "`learning_rate` (or `lr`) must be a number, the peak of AdamWarmup's own schedule. "
            f"Received: learning_rate={learning_rate!r}."
        ) from None
    if peak < 0:
        raise ValueError(
            f"`learning_rate` must not be negative. Received: learning_rate={learning_rate}."
        )
    return peak


def _checked_factors(factors) -> dict[str, float] | None:
    if factors is None:
        return None
    try:
        numbers = {str(prefix): float(factor) for prefix, factor in dict(factors).items()}
    except (TypeError, ValueError):
        numbers = {"": math.nan}
    if not all(0.0 <= factor < math.inf for factor in numbers.values()):
        raise ValueError(
            "`learning_rate_factors` must be a dict of beginnings of layer names to numbers that "
            f"are not negative. Received: learning_rate_factors={factors!r}."
        )
    return numbers


def _updated(moment, value, beta: float):
    """The new value of a moving average, which is assigned too."""
    # From a tensor: on PyTorch, Keras' variables would round the factor to float32.
    new = ops.convert_to_tensor(moment) * beta + value * (1 - beta)
    moment.assign(new)
    return new


def _one_minus_power(base: float, exponent):
    """`1 − base**exponent` without loss of digits where the power is close to 1."""
    return -ops.expm1(exponent * (math.log(base) if base > 0 else -math.inf))
