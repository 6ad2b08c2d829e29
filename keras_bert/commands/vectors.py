"""The model of a command that computes features, with its tokenizer."""

import argparse
from typing import Any

from ..tokenizer.cut_texts import CutTexts
from . import shared
from .starting import import_keras


def load_pipeline(files: shared.ModelFolder, options: argparse.Namespace, **others: Any):
    """Load a model, and make a Pipeline of it with the tokenizer that has been read.

    Args:
        files: The model's folder.
        options: The command's.
        **others: `batch_size`, and as `load_trained_model_from_checkpoint` takes them
            `output_layer_num`, `output_len` and `seq_len`.

    Returns:
        The model and the Pipeline, which counts the texts that it cuts.
    """
    import_keras(options)
    from ..extraction.embeddings import make_pipeline
    from ..loader import load_trained_model_from_checkpoint
    from ..loader.sentence_models import read_sentence_model

    batch_size = others.pop("batch_size", None)
    cased = None
    if options.pooling == "sentence":
        cased = options.cased
        others = {"seq_len": others["seq_len"]}
        model = read_sentence_model(files.folder, None, False, others, files.tokenizer)
    else:
        config, checkpoint, _ = files.paths
        model = load_trained_model_from_checkpoint(config, checkpoint, **others)
    pipeline = make_pipeline(
        model,
        poolings=shared.pooling_of(options),
        vocabs=None if options.pooling == "sentence" else files.tokenizer,
        cased=cased,
        prompt=options.prompt,
        batch_size=batch_size,
    )
    pipeline.cut_texts = CutTexts(pipeline.tokenizer, pipeline.limit)
    return model, pipeline
