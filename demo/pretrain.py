"""Pretrain BERT on your own text: vocabulary, shards of token ids, training, checkpoint.

    pip install '.[pretrain]'
    python demo/pretrain.py RUN --texts FILE [FILE ...]

    python demo/pretrain.py RUN --texts FILE [FILE ...] --initial MODEL

Each FILE is UTF-8 text with one sentence per line and an empty line between documents. MODEL is a
model folder in Google's or Hugging Face's format to start from, instead of from random weights: its
vocabulary and sizes are kept, and missing heads are initialized at random. RUN is a folder, either
new or of an interrupted run: the same command, or `python demo/pretrain.py RUN` alone, continues
where the run stopped for whatever reason, and ends with bit for bit the same weights as an
uninterrupted run (on the same runtime, versions and machine). At the end, RUN contains
bert_config.json, bert_model.ckpt.* and vocab.txt, which `load_trained_model_from_checkpoint` and
`extract_embeddings` read, and losses.tsv, with matplotlib also learning_curve.png.

The text is never held in memory as a whole: the vocabulary is learnt from word counts, and shards
are written and read one after the other. Each file is written under a temporary name and renamed
when it is complete.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import zipfile
from math import inf
from pathlib import Path

from pretrain_options import ARCHITECTURE, OPTIONS, argument_parser

if __name__ == "__main__":
    argument_parser(__doc__).parse_args()  # answers --help and mistakes before Keras is imported

import numpy as np
from pretrain_text import Pairs, check_texts, learn_vocabulary, replacing, write_shards
from tqdm import tqdm

from keras_bert import (
    Tokenizer,
    build_model_from_config,
    compile_model,
    gen_batch_inputs,
    get_pretrained,
    load_model_weights_from_checkpoint,
    load_vocabulary,
)
from keras_bert.backend import TF_KERAS, backend, keras, layers
from keras_bert.checkpoints import write_tensor_bundle
from keras_bert.families.weights import to_checkpoint
from keras_bert.saving.conversion import read_folder, write_google_folder
from keras_bert.tokenizer.vocabulary import is_cased

RUNTIME = "tf_keras" if TF_KERAS else backend.backend()
SAVED_STATES = 2  # the last one, and the one before it in case the last one is damaged


def build(run: Path, settings):
    if TF_KERAS:  # makes dropout use random generators whose state can be saved
        keras.backend.experimental.enable_tf_random_generator()
    keras.utils.set_random_seed(settings["seed"])
    model, config = build_model_from_config(
        run / "bert_config.json",
        training=True,
        seq_len=None,
        dropout_rate=settings["dropout"],
        max_predictions=max_predictions(settings),
    )
    if (run / "initial").is_dir():
        checkpoint = run / "initial" / "bert_model.ckpt"
        load_model_weights_from_checkpoint(
            model, config, checkpoint, training=True, allow_missing_heads=True
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
    return settings["predictions"] or round(0.15 * settings["length"]) + 1


def state_of(model) -> list:
    """All variables that the next step depends on: weights, dropout states, moments, step."""
    variables = [*model.variables, *model.optimizer.variables]
    if TF_KERAS:  # on Keras 3, the model's variables include the dropout states
        dropouts = (layer for layer in model.layers if isinstance(layer, layers.Dropout))
        variables += [layer._random_generator._generator.state for layer in dropouts]
    return variables


def seed_step(seed: int, step: int) -> None:
    """Make the random numbers of a step depend on its number only, not on the process."""
    np.random.seed([seed, step])
    if RUNTIME == "torch":  # dropout of Keras uses PyTorch's global generator
        import torch

        torch.manual_seed(np.random.randint(2**31))


def save_state(run: Path, model, step: int, position, losses) -> None:
    values = {f"{number:05d}": each.numpy() for number, each in enumerate(state_of(model))}
    with replacing(run / f"state-{step:09d}.npz") as file:
        np.savez(file, step=step, position=position, losses=losses, **values)
    for old in sorted(run.glob("state-*.npz"))[:-SAVED_STATES]:
        old.unlink()


def load_state(run: Path, model):
    """Restore the last saved state; return step, position in the stream of pairs, and losses."""
    for path in sorted(run.glob("state-*.npz"), reverse=True):
        try:
            with open(path, "rb") as file, np.load(file) as arrays:
                state = dict(arrays)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            print(f"{path} is damaged, using the one before it: {error}", file=sys.stderr)
            continue
        for number, variable in enumerate(state_of(model)):
            variable.assign(state[f"{number:05d}"])
        return int(state["step"]), state["position"], state["losses"].tolist()
    return 0, (0, 0, 0), []


def train(run: Path, settings, shards: list[Path], vocabulary, save_every: int):
    model = build(run, settings)
    step, position, losses = load_state(run, model)
    tokens = list(vocabulary)
    pairs = Pairs(shards, settings, tokens, position)
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
                save_state(run, model, step, pairs.position, losses)
    return model, losses


def write_results(run: Path, model, losses) -> None:
    rows = [f"{step}\t" + "\t".join(map(repr, row)) for step, row in enumerate(losses, 1)]
    with replacing(run / "losses.tsv") as file:
        file.write("\n".join(["step\tloss\tmlm\tnsp", *rows, ""]).encode())
    weights = {layer.name: layer.get_weights() for layer in model.layers if layer.weights}
    write_tensor_bundle(run / "bert_model.ckpt", to_checkpoint(weights, "google"))
    if importlib.util.find_spec("matplotlib") is not None:
        draw(run, losses)


def draw(run: Path, losses) -> None:
    """Draw both losses, of single steps and smoothed, into learning_curve.png."""
    from matplotlib.figure import Figure

    losses = np.array(losses)
    steps = np.arange(1, len(losses) + 1)
    window = max(1, len(steps) // 20)
    figure = Figure(figsize=(7, 5), layout="constrained")
    figure.suptitle(f"Pretraining of {run.name}", parse_math=False)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    for axes, column, name in [(upper, 1, "masked words"), (lower, 2, "next sentence")]:
        smooth = np.convolve(losses[:, column], np.ones(window) / window, mode="valid")
        axes.plot(steps, losses[:, column], color="lightsteelblue", linewidth=0.8)
        axes.plot(steps[window - 1 :], smooth, color="tab:blue", label=f"mean of {window} steps")
        axes.set(ylabel=f"loss, {name}", ylim=(0, None))
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    lower.axhline(np.log(2), color="tab:gray", linestyle="--", label="by chance")
    lower.set(xlabel="step", xlim=(0, None))
    lower.legend()
    figure.savefig(run / "learning_curve.png", dpi=150)


def take_over(run: Path, initial: Path) -> bool:
    """Copy the initial model into the run; return whether it keeps case."""
    copy = run / "initial"
    if not copy.is_dir():
        write_google_folder(copy, read_folder(initial))
    for name in ("vocab.txt", "bert_config.json", "tokenizer_config.json"):
        with replacing(run / name) as file:
            file.write((copy / name).read_bytes())
    return is_cased(copy, load_vocabulary(copy / "vocab.txt"))


def write_config(run: Path, settings, token_num: int) -> None:
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


def check(settings) -> None:
    """Exit, before anything is written, if the settings are not possible."""
    for name, (_, (least, most), _) in OPTIONS.items():
        if not least <= settings[name] <= most:
            bounds = f"at least {least}" if most == inf else f"from {least} to {most}"
            sys.exit(f"--{name.replace('_', '-')} must be {bounds}. Received: {settings[name]}.")
    length = settings["length"]
    if "initial" in settings:
        try:
            positions = read_folder(settings["initial"]).config["max_position_embeddings"]
        except (OSError, ValueError) as error:
            sys.exit(f"--initial must be a model folder. {error}")
        if length > positions:
            sys.exit(f"--length must be at most {positions}, the model's. Received: {length}.")
    elif settings["hidden"] % settings["heads"]:
        sys.exit(
            "--hidden must be a multiple of --heads. "
            f"Received: {settings['hidden']} and {settings['heads']}."
        )


def read_settings(run: Path, given: dict) -> dict:
    """The settings of a run. The first call fixes them; later calls may repeat or omit them."""
    path = run / "settings.json"
    if "texts" in given:
        try:
            given["texts"] = [
                [os.path.abspath(each), os.path.getsize(each)] for each in given["texts"]
            ]
        except OSError as error:
            sys.exit(f"--texts must be files: {error}")
    if "initial" in given:
        try:
            given["initial"] = get_pretrained(given["initial"])
        except OSError:  # which `check` reports for new runs
            pass
        except (ValueError, ImportError) as error:
            sys.exit(f"--initial: {error}")
        given["initial"] = os.path.abspath(given["initial"])
    given["runtime"] = RUNTIME
    if path.exists():
        settings = json.loads(path.read_text("utf-8"))
        for name, value in given.items():
            if value != settings.get(name):
                sys.exit(
                    f"{run} was started with {name} {settings.get(name)}. Received: {value}. Use "
                    "another folder for another run."
                )
        return settings
    if "texts" not in given:
        sys.exit("A new run needs --texts FILE [FILE ...].")
    fixed = sorted(ARCHITECTURE.keys() & given.keys())
    if "initial" in given and fixed:
        sys.exit(f"With --initial, the model determines these options. Received: {fixed}.")
    settings = {**{name: default for name, (default, *_) in OPTIONS.items()}, **given}
    settings["warmup"] = given.get("warmup", settings["steps"] // 10)
    check(settings)
    check_texts(settings["texts"])
    try:
        run.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        sys.exit(f"RUN must be a folder: {error}")
    with replacing(path) as file:
        file.write(json.dumps(settings, indent=2).encode())
    return settings


def main(arguments=None) -> None:
    given = vars(argument_parser(__doc__).parse_args(arguments))
    run, save_every = given.pop("run"), given.pop("save_every")
    if save_every < 1:
        sys.exit(f"--save-every must be positive. Received: {save_every}.")
    try:
        pretrain(run, read_settings(run, given), save_every)
    except KeyboardInterrupt:
        print(
            f"\n{run}: interrupted; the same command continues from the last saved state",
            file=sys.stderr,
        )
        sys.exit(130)


def pretrain(run: Path, settings, save_every: int) -> None:
    cased = bool(settings["cased"])
    if "initial" in settings:
        cased = take_over(run, Path(settings["initial"]))
    elif not (run / "vocab.txt").exists():
        learn_vocabulary(run / "vocab.txt", settings)
    vocabulary = load_vocabulary(str(run / "vocab.txt"))
    if "initial" not in settings:
        write_config(run, settings, len(vocabulary))
    tokenizer = Tokenizer(vocabulary, cased=cased)
    shards = write_shards(run / "shards", settings, tokenizer)
    model, losses = train(run, settings, shards, vocabulary, save_every)
    write_results(run, model, losses)
    print(f"{run}: {len(losses)} steps, MLM loss {losses[-1][1]:.3f}, NSP loss {losses[-1][2]:.3f}")


if __name__ == "__main__":
    main()
