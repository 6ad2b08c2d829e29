"""What is made of a model, kept until the model has other variables."""

import operator


def made_once(kept, key, model, make):
    """`make(model)`, kept under a key as long as the model has the variables it was made with.

    Quantizing and LoRA put others in their place.
    """
    made, variables = kept.get(key, (None, []))
    current = model.weights
    same = len(variables) == len(current) and all(map(operator.is_, variables, current))
    if made is None or not same:
        made = make(model)
        kept[key] = made, current
    return made


def is_patched(layer) -> bool:
    """Whether an instance of a layer or model has something else than its class says."""
    return not {"call", "compute_mask", "predict_on_batch", "predict_step"}.isdisjoint(vars(layer))
