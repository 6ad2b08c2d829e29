"""Labels of texts and of their words, and answers to questions, by a model with a head for it."""

import argparse
import itertools
import json
from collections import deque
from collections.abc import Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import numpy as np

from ..checkpoints import open_checkpoint
from ..families import family_of
from ..families.configuration import read_config
from ..families.tasks import find_task
from ..tokenizer.batch_arrays import Row
from ..tokenizer.cut_texts import CutTexts
from ..tokenizer.unknown_tokens import UnknownTokens
from . import output_files, shared, windows
from .feature_files import Lines
from .progress import closing_line, with_bar
from .starting import import_keras
from .task_outputs import Record, answered, as_lines, classified, tagged

_LEAST_ROOM = 4  # so much of a window, at least, is for the text, and the rest for the question


def run(options: argparse.Namespace) -> None:
    """Classify."""
    output = Path(options.output) if options.output else None
    if output is not None:
        output_files.check_suffix(output, [".jsonl"])
        output_files.check_is_new(output)
    if options.question is not None:
        shared.check_is_utf8(options.question, "--question")
    files = shared.open_model(options)
    record_of, task, limit = _task(files, options)
    claim = nullcontext()
    if output is not None:
        claim = output_files.claimed(output, _settings(options, files), options)
    with claim, shared.open_texts(options.file, options) as stream:
        import_keras(options)
        from ..loader.task_models import load_task_model

        model, _ = load_task_model(files.folder, task=task)
        texts = shared.texts(stream, options)
        if task == "sequence":  # others take no pairs
            texts = shared.remarked_pairs(texts, options)
        records = partial(_records, model, record_of, files, texts, limit, options)
        if output is not None:
            output_files.write_all(
                Lines(output_files.part_of(output)),
                lambda done: ((_as_json(each),) for each in records(done)),
                output,
                options,
            )
            return
        as_text = _as_json if options.json else as_lines
        closing_line(options, shared.write_each(map(as_text, records(0))))


def _task(files: shared.ModelFolder, options: argparse.Namespace):
    """What makes records of a model's logits, the model's task, and its number of positions."""
    paths = files.paths
    with open_checkpoint(paths.checkpoint) as checkpoint:
        config = read_config(paths.config, checkpoint)
        family = family_of(config, checkpoint)
        found = find_task(family, config, checkpoint, options.task)
        if found is None:
            raise shared.CommandError(
                f"{checkpoint.path} has no head for {options.task or 'a task'}; fine-tune it first "
                "(demo/tune), or see by the command info what it has"
            )
    if (options.question is not None) != (found.task == "answers"):
        raise shared.CommandError(
            "a model that answers questions needs --question TEXT"
            if found.task == "answers"
            else "--question is for models that answer questions; this one is for the task "
            f"{found.task!r}"
        )
    if options.question is not None and not options.question.strip():
        raise shared.CommandError("--question is empty; it must be a text")
    if found.task == "sequence":
        record_of = classified(found.labels, found.problem_type)
    else:
        record_of = tagged(found.labels) if found.task == "tokens" else answered
    limit = config["max_position_embeddings"]
    told = ["read in windows of {} tokens"] if found.task != "sequence" else []
    shared.check_length(options, limit, *told)
    return record_of, found.task, min(limit, options.max_length or limit)


def _settings(options: argparse.Namespace, files: shared.ModelFolder) -> dict:
    """All that the records depend on."""
    return {
        "files": output_files.files_read(files, options),
        **{name: getattr(options, name) for name in ("question", "top", "task", "max_length")},
        "cased": files.tokenizer._cased,
    }


def _records(model, record_of, files, texts, limit, options, done: int) -> Iterator[Record]:
    """A record of every text from the one after `done` on."""
    only_holding = options.top is None and not (options.json or options.output)
    unknown, cut = UnknownTokens(files.tokenizer), CutTexts(files.tokenizer, limit)
    found = _windows_with_logits(model, files, texts, limit, options, done, unknown, cut)
    for each in with_bar(found, options, done, is_shown=options.output is None):
        yield record_of(each, options.top, only_holding)
    for counted in (cut, unknown):
        shared.remark_count(counted, options)


def _windows_with_logits(
    model, files, texts, limit, options, done: int, unknown: UnknownTokens, cut: CutTexts
) -> Iterator[list[windows.Window]]:
    """The windows of every text, of which only long ones for taggers and readers have several."""
    from ..extraction.logits import logits_of

    unfinished: deque[list[windows.EncodedText]] = deque()

    def rows():
        for text in itertools.islice(texts, done, None):
            parts = list(_encode(files.tokenizer, text, limit, options, model, cut))
            unfinished.append([encoded for _, encoded in parts])
            for (ids, _, second_length), _ in parts:
                unknown.count(ids, special=3 if second_length else 2)
            yield from (row for row, _ in parts)

    found: list[np.ndarray] = []
    for logits in logits_of(model, rows(), limit, options.batch_size):
        found.append(logits)
        if len(found) == len(unfinished[0]):
            yield list(zip(unfinished.popleft(), found, strict=True))
            found = []


def _encode(
    tokenizer, text: str, limit: int, options, model, cut: CutTexts
) -> Iterator[tuple[Row, windows.EncodedText]]:
    """The ids of a text, as batches take them, and what records need of it; of each window."""
    classifies_text = len(model.outputs) == 1 and len(model.outputs[0].shape) == 2
    first, second = options.question, text
    if options.question is None:
        pair = shared.as_pair(text) if classifies_text else text
        first, second = (pair, None) if isinstance(pair, str) else pair
    row, offsets = tokenizer._encode_with_offsets(first, second, limit if classifies_text else None)
    by_id = tokenizer._token_dict_inv
    tokens = [by_id[index] for index in row[0]]
    encoded = windows.EncodedText(text, options.question, tokens, row[1], offsets)
    if classifies_text:
        cut.count(row[0], first, second)
        yield row, encoded
        return
    if options.question is not None and limit - row[1] - 1 < max(1, limit // _LEAST_ROOM):
        raise shared.CommandError(
            f"--question has {row[1] - 2} tokens, which leave too little room for the text in "
            f"{limit}"
        )
    yield from windows.split(row, encoded, limit)


def _as_json(record: Record) -> str:
    return json.dumps(record, ensure_ascii=False)
