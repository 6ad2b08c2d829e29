"""Pretrain BERT on your own text: vocabulary, shards of token ids, training, checkpoint.

    pip install '.[pretrain]'
    python demo/pretrain.py RUN --texts FILE [FILE ...]

A FILE is UTF-8 text with a sentence in every line and an empty line between documents. RUN is a
folder, new or of a run that was broken off: the same command, or `python demo/pretrain.py RUN`
alone, goes on where the last one was, whatever ended it, and ends with the same weights bit for bit
as if nothing had happened (on the same runtime, versions and machine). In the end RUN holds
bert_config.json, bert_model.ckpt.* and vocab.txt, which `load_trained_model_from_checkpoint` and
`extract_embeddings` read, and losses.tsv.

No step needs the text in memory: the vocabulary is learnt from counts of words, and one shard after
the other is written and read. Every file is written under another name and renamed when complete.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import zipfile
from pathlib import Path

import numpy as np
from pretrain_text import Pairs, learn_vocabulary, replacing, write_shards
from tqdm import tqdm

from keras_bert import Tokenizer, compile_model, gen_batch_inputs, get_model, load_vocabulary
from keras_bert.backend import TF_KERAS, backend, keras, layers
from keras_bert.checkpoints import write_tensor_bundle
from keras_bert.checkpoints.mapping import to_checkpoint

RUNTIME = "tf_keras" if TF_KERAS else backend.backend()
SAVED_STATES = 2  # the last one, and the one before should the disk have damaged it
OPTIONS = {  # what makes a run what it is: default and meaning
    "vocabulary": (8000, "most tokens in the vocabulary"),
    "cased": (0, "1 keeps case and accents, 0 strips them"),
    "shard": (1_000_000, "tokens in a shard"),
    "layers": (4, "encoder layers"),
    "hidden": (256, "hidden size"),
    "heads": (4, "attention heads"),
    "feed_forward": (1024, "hidden size of the feed-forward layers"),
    "length": (128, "tokens in a row"),
    "dropout": (0.1, "dropout rate"),
    "batch": (32, "rows in a batch"),
    "steps": (10_000, "training steps"),
    "warmup": (1000, "steps of warm-up"),
    "learning_rate": (5e-4, "peak of the learning rate"),
    "seed": (0, "seed of all random numbers"),
}


def build(settings, token_num: int):
    if TF_KERAS:  # dropout whose random numbers have a state that can be saved
        keras.backend.experimental.enable_tf_random_generator()
    keras.utils.set_random_seed(settings["seed"])
    model = get_model(
        token_num,
        pos_num=settings["length"],
        seq_len=settings["length"],
        embed_dim=settings["hidden"],
        transformer_num=settings["layers"],
        head_num=settings["heads"],
        feed_forward_dim=settings["feed_forward"],
        dropout_rate=settings["dropout"],
        max_predictions=max_predictions(settings),
    )
    compile_model(
        model,
        decay_steps=settings["steps"],
        warmup_steps=settings["warmup"],
        learning_rate=settings["learning_rate"],
    )
    model.optimizer.build(model.trainable_variables)
    return model


def max_predictions(settings) -> int:
    return round(0.15 * settings["length"]) + 1


def state_of(model) -> list:
    """All variables that the next step depends on: weights, dropout's states, moments, step."""
    variables = [*model.variables, *model.optimizer.variables]
    if TF_KERAS:  # elsewhere the states are among the model's variables
        dropouts = (layer for layer in model.layers if isinstance(layer, layers.Dropout))
        variables += [layer._random_generator._generator.state for layer in dropouts]
    return variables


def seed_step(seed: int, step: int) -> None:
    """Make what a step draws depend on its number alone, not on the process it runs in."""
    np.random.seed([seed, step])
    if RUNTIME == "torch":  # whose dropout under Keras draws from PyTorch's global generator
        import torch

        torch.manual_seed(np.random.randint(2**31))


def save_state(run: Path, model, step: int, place, losses) -> None:
    values = {f"{number:05d}": each.numpy() for number, each in enumerate(state_of(model))}
    with replacing(run / f"state-{step:09d}.npz") as file:
        np.savez(file, step=step, place=place, losses=losses, **values)
    for old in sorted(run.glob("state-*.npz"))[:-SAVED_STATES]:
        old.unlink()


def load_state(run: Path, model):
    """Set the model's state to the last saved one; return step, place and losses."""
    for path in sorted(run.glob("state-*.npz"), reverse=True):
        try:
            with open(path, "rb") as file, np.load(file) as arrays:
                state = dict(arrays)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            print(f"{path} is damaged, the one before serves: {error}", file=sys.stderr)
            continue
        for number, variable in enumerate(state_of(model)):
            variable.assign(state[f"{number:05d}"])
        return int(state["step"]), state["place"], state["losses"].tolist()
    return 0, (0, 0, 0), []


def train(run: Path, settings, shards: list[Path], vocabulary, save_every: int):
    model = build(settings, len(vocabulary))
    step, place, losses = load_state(run, model)
    tokens = list(vocabulary)
    pairs = Pairs(shards, settings, tokens, place)
    with tqdm(total=settings["steps"], initial=step, unit="step", desc="training") as progress:
        while step < settings["steps"]:
            seed_step(settings["seed"], step)
            inputs, outputs = gen_batch_inputs(
                pairs.take(settings["batch"]),
                vocabulary,
                tokens,
                seq_len=settings["length"],
                max_predictions=max_predictions(settings),
            )
            model.reset_metrics()
            losses.append([float(each) for each in model.train_on_batch(inputs, outputs)])
            step += 1
            progress.update()
            progress.set_postfix(mlm=f"{losses[-1][1]:.3f}", nsp=f"{losses[-1][2]:.3f}")
            if step % save_every == 0 or step == settings["steps"]:
                save_state(run, model, step, pairs.place, losses)
    return model, losses


def write_results(run: Path, settings, model, losses, token_num: int) -> None:
    rows = [f"{step}\t" + "\t".join(map(repr, row)) for step, row in enumerate(losses, 1)]
    with replacing(run / "losses.tsv") as file:
        file.write("\n".join(["step\tloss\tmlm\tnsp", *rows, ""]).encode())
    weights = {layer.name: layer.get_weights() for layer in model.layers if layer.weights}
    write_tensor_bundle(run / "bert_model.ckpt", to_checkpoint(weights, "google"))
    config = {
        "vocab_size": token_num,
        "hidden_size": settings["hidden"],
        "num_hidden_layers": settings["layers"],
        "num_attention_heads": settings["heads"],
        "intermediate_size": settings["feed_forward"],
        "hidden_act": "gelu",
        "hidden_dropout_prob": settings["dropout"],
        "attention_probs_dropout_prob": 0.0,
        "max_position_embeddings": settings["length"],
        "type_vocab_size": 2,
        "initializer_range": 0.02,
    }
    with replacing(run / "bert_config.json") as file:
        file.write(json.dumps(config, indent=2).encode())


def read_settings(run: Path, given: dict) -> dict:
    """The settings of a run, which the first call fixes; later ones may repeat or omit them."""
    path = run / "settings.json"
    if "texts" in given:
        given["texts"] = [[os.path.abspath(each), os.path.getsize(each)] for each in given["texts"]]
    given["runtime"] = RUNTIME
    if path.exists():
        settings = json.loads(path.read_text("utf-8"))
        for name, value in given.items():
            if value != settings[name]:
                sys.exit(f"{run} began with {name} {settings[name]}. Received: {value}.")
        return settings
    if "texts" not in given:
        sys.exit("A new run needs --texts FILE [FILE ...]")
    settings = {**{name: default for name, (default, _) in OPTIONS.items()}, **given}
    with replacing(path) as file:
        file.write(json.dumps(settings, indent=2).encode())
    return settings


def main(arguments=None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("--texts", nargs="+", metavar="FILE", default=argparse.SUPPRESS)
    parser.add_argument("--save-every", type=int, default=200, help="steps between saved states")
    for name, (default, text) in OPTIONS.items():
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            type=type(default),
            default=argparse.SUPPRESS,
            help=f"{text} ({default})",
        )
    given = vars(parser.parse_args(arguments))
    run, save_every = given.pop("run"), given.pop("save_every")
    run.mkdir(parents=True, exist_ok=True)
    settings = read_settings(run, given)
    if not (run / "vocab.txt").exists():
        learn_vocabulary(run / "vocab.txt", settings)
    vocabulary = load_vocabulary(str(run / "vocab.txt"))
    tokenizer = Tokenizer(vocabulary, cased=bool(settings["cased"]))
    shards = write_shards(run / "shards", settings, tokenizer)
    model, losses = train(run, settings, shards, vocabulary, save_every)
    write_results(run, settings, model, losses, len(vocabulary))
    print(f"{run}: {len(losses)} steps, MLM loss {losses[-1][1]:.3f}, NSP loss {losses[-1][2]:.3f}")


if __name__ == "__main__":
    main()
