"""What a checkpoint holds."""

import argparse
import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

from ..checkpoints import Checkpoint, CheckpointError, open_checkpoint
from ..checkpoints.listing import listed, with_ranges
from ..checkpoints.paths import get_checkpoint_paths, is_sentence_folder
from ..datasets.official import list_names
from ..datasets.saved_models import HOW_TO_OPEN
from ..families import Family, family_of
from ..families.configuration import activation_name, read_config
from ..families.fitting import check_fit
from ..families.sentence_folder import DenseModule, SentenceFolder, read_sentence_folder
from ..families.tasks import CLASSES, FoundTask, UnclearTask, find_task
from ..families.translation import heads_of, left_out
from ..families.weights import find_weights
from ..tokenizer import load_tokenizer
from .shared import CommandError, file_or_folder, remark_other_size, write

_ACTIVATIONS = {"gelu_tanh": "gelu, tanh form", "gelu_erf": "gelu, exact form"}


def run(options: argparse.Namespace) -> None:
    """Describe."""
    if options.path is None:
        names = list_names()
        write(json.dumps(names) if options.json else "\n".join(names))
        return
    path = file_or_folder(options.path)
    is_folder = path.is_dir()
    if path.suffix == ".keras" and path.is_file():
        raise CommandError(f"{path} is a saved model of Keras: {HOW_TO_OPEN}")
    with open_checkpoint(
        get_checkpoint_paths(path).checkpoint if is_folder else path
    ) as checkpoint:
        facts = {"checkpoint": _checkpoint_facts(checkpoint)}
        problem = None
        if is_folder:
            problem = _add_folder_facts(facts, path, checkpoint)
        if options.tensors or not is_folder:
            facts["tensors"] = {
                name: {"shape": list(checkpoint.shape(name)), "dtype": _dtype(checkpoint, name)}
                for name in checkpoint
            }
    write(json.dumps(facts, indent=2, ensure_ascii=False) if options.json else _as_text(facts))
    if vocabulary := facts.get("vocabulary"):
        size = facts["configuration"]["vocab_size"]
        remark_other_size(options, vocabulary["path"], vocabulary["tokens"], size)
    if problem is not None:
        raise problem


def _checkpoint_facts(checkpoint: Checkpoint) -> dict[str, Any]:
    types = Counter(_dtype(checkpoint, name) for name in checkpoint)
    return {
        "path": str(checkpoint.path),
        "format": checkpoint.format,
        "tensors": len(checkpoint),
        "numbers": sum(math.prod(checkpoint.shape(name)) for name in checkpoint),
        "types": dict(types.most_common()),
    }


def _add_folder_facts(
    facts: dict[str, Any], folder: Path, checkpoint: Checkpoint
) -> ValueError | ImportError | None:
    """Add what the folder's other files say; return what is wrong with them."""
    paths = get_checkpoint_paths(folder)
    try:
        config = read_config(paths.config, checkpoint)
        family = family_of(config, checkpoint)
        activation = activation_name(config, checkpoint)
        facts["configuration"] = {"path": paths.config, **config}
        facts["family"] = family.name
        facts["activation"] = _ACTIVATIONS.get(activation, activation)
        found = find_weights(family, config, checkpoint, heads="any")
        facts["heads"] = heads_of(family, found)
        task = _task(family, config, checkpoint)
        if task is not None:
            facts["task"] = {
                "task": task.task,
                "class": CLASSES[task.task].removeprefix("For"),
                "labels": task.labels,
                "problem_type": task.problem_type,
            }
        of_head = [] if task is None else task.found
        facts[f"not of {family.name}"] = with_ranges(left_out(checkpoint, [*found, *of_head]))
        check_fit(family, config, checkpoint, found)
        if Path(paths.vocab).exists():
            tokenizer = load_tokenizer(paths.vocab)
            facts["vocabulary"] = {
                "path": paths.vocab,
                "tokens": len(tokenizer._token_dict),
                "cased": tokenizer._cased,
            }
        if is_sentence_folder(folder):
            facts["sentences"] = _sentence_facts(read_sentence_folder(folder))
    except (ValueError, ImportError) as error:
        return error
    return None


def _sentence_facts(folder: SentenceFolder) -> dict[str, Any]:
    modules = [
        f"Dense {each.input_size} to {each.output_size}, {each.activation.rpartition('.')[2]}"
        if isinstance(each, DenseModule)
        else "Normalize"
        for each in folder.modules
    ]
    return {
        "pooling": list(folder.poolings),
        "modules": modules,
        "max_length": folder.max_length,
        "lower_case": folder.lower_case,
        "prompts": dict(folder.prompts),
        "default_prompt": folder.default_prompt,
    }


def _task(family: Family, config: dict[str, Any], checkpoint: Checkpoint) -> FoundTask | None:
    """The head for a task; None also where it may be for several, then its tensors are listed."""
    try:
        return find_task(family, config, checkpoint)
    except UnclearTask:
        return None


def _dtype(checkpoint: Checkpoint, name: str) -> str:
    try:
        return checkpoint.dtype(name).name
    except CheckpointError:
        return "unreadable"


def _as_text(facts: dict[str, Any]) -> str:
    checkpoint = facts["checkpoint"]
    types = ", ".join(f"{count} {name}" for name, count in checkpoint["types"].items())
    shown = {
        "checkpoint": f"{checkpoint['path']} ({checkpoint['format']})",
        "tensors": f"{types}; {checkpoint['numbers']:,} numbers",
    }
    if config := facts.get("configuration"):
        shown["configuration"] = config["path"] or "inferred from the shapes of the weights"
        shown["architecture"] = (
            "{family}, {num_hidden_layers} layers of {hidden_size}, {num_attention_heads} heads, "
            "feed-forward {intermediate_size}, {max_position_embeddings} positions, "
            "{vocab_size} tokens"
        ).format(family=facts["family"], **config)
        shown["activation"] = facts["activation"]
    if "heads" in facts:
        shown["heads"] = ", ".join(facts["heads"]) or "none"
    if task := facts.get("task"):
        labels = listed(task["labels"], ", ")
        kind = f"{task['problem_type']}, " if task["problem_type"] else ""
        shown["task"] = f"{task['task']} ({kind}{task['class']}): {labels}"
    if sentences := facts.get("sentences"):
        length = sentences["max_length"] or "all"
        parts = [f"pooling {', '.join(sentences['pooling'])}", *sentences["modules"]]
        shown["sentences"] = f"{'; '.join(parts)}; {length} tokens"
        prompts = [f"{name} {text!r}" for name, text in sentences["prompts"].items()]
        if prompts:
            shown["prompts"] = ", ".join(prompts)
    not_of_it = f"not of {facts.get('family')}"
    if facts.get(not_of_it):
        shown[not_of_it] = ", ".join(facts[not_of_it])
    if vocabulary := facts.get("vocabulary"):
        case = "cased" if vocabulary["cased"] else "uncased"
        shown["vocabulary"] = f"{vocabulary['path']}, {vocabulary['tokens']} tokens, {case}"
    text = [f"{name + ':':14} {value}" for name, value in shown.items()]
    for name, tensor in facts.get("tensors", {}).items():
        text.append(f"{name}\t{tensor['dtype']}\t{'x'.join(map(str, tensor['shape'])) or 'scalar'}")
    return "\n".join(text)
