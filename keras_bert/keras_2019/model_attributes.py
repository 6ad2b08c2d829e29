"""Attributes of compiled models that scripts of Keras 2.0–2.2 read, and add to."""

import functools

from tf_keras.src import backend
from tf_keras.src.engine import training, training_v1
from tf_keras.src.utils import tf_utils

from .report import note


class _Told(list):
    """A list that tells the model what is added to it."""

    def __init__(self, values, tell):
        super().__init__(values)
        self._tell = tell

    def append(self, value):
        super().append(value)
        self._tell(value)

    def extend(self, values):
        for value in values:
            self.append(value)

    def __iadd__(self, values):
        self.extend(values)
        return self

    def __reduce__(self):
        """Copies are plain lists: callbacks of Keras add names of validation to theirs."""
        return list, (list(self),)


def install() -> None:
    """Let models in graph mode have them, and others say that they need it."""
    names = training_v1.Model.metrics_names
    for name, get in {
        "metrics_updates": _metrics_updates,
        "metrics_tensors": _metrics_tensors,
        "metrics_names": lambda model: _Told(names.fget(model), _adding_metrics(model, 1)),
    }.items():
        setattr(training_v1.Model, name, property(get, _setter(name)))
    training_v1.Model._make_train_function = _with_updates(training_v1.Model._make_train_function)
    training_v1.Model._uses_dynamic_learning_phase = _uses_dynamic_learning_phase
    for name in ("metrics_updates", "metrics_tensors", "_uses_dynamic_learning_phase"):
        setattr(training.Model, name, property(_refusing(name)))


def _metrics_updates(model):
    """Operations of training besides the optimizer's; those of metrics are part of the metrics."""
    after = vars(model).setdefault("_updates_after_steps", [])

    def add(update):
        note("metrics_updates of models")
        update = getattr(update, "op", update)
        batch = model._feed_inputs + model._feed_targets + model._feed_sample_weights
        if update in tf_utils.get_reachable_from_inputs(batch, [update]):
            model.add_update(update)
        else:
            after.append(update)

    return _Told(after, add)


def _with_updates(make_train_function):
    """Follow each step by operations that are not computed from its batch.

    So averages of weights always see the new ones, where TensorFlow would choose.
    """

    @functools.wraps(make_train_function)
    def call(model):
        before = getattr(model, "train_function", None)
        make_train_function(model)
        step, after = model.train_function, vars(model).get("_updates_after_steps")

        def step_and_updates(batch):
            results = step(batch)
            backend.get_session().run(after)
            return results

        if after and step is not before:
            model.train_function = step_and_updates

    return call


def _metrics_tensors(model):
    metrics = model._get_training_eval_metrics()
    results = [each._call_result for each in metrics if hasattr(each, "_call_result")]
    return _Told(results, _adding_metrics(model, 0))


def _adding_metrics(model, position):
    """Make a metric of each tensor and its name, which programs add to one list each."""

    def add(value):
        waiting = vars(model).setdefault("_metrics_of_program", ([], []))
        waiting[position].append(value)
        if all(waiting):
            note("metrics_tensors of models")
            tensor, name = (each.pop(0) for each in waiting)
            model.add_metric(tensor, name=name, aggregation="mean")

    return add


def _uses_dynamic_learning_phase(model):
    """Whether functions of a training step are told whether it is one."""
    return not isinstance(backend.symbolic_learning_phase(), int)


def _setter(name):
    def set_list(model, values):
        if not isinstance(values, _Told):  # that of +=
            raise AttributeError(f"{name} of a model is made from its metrics: append to it")

    return set_list


def _refusing(name):
    def get(model):
        raise AttributeError(f"{name} of a model needs graph mode (--graph)")

    return get
