"""Arguments of the fine-tuning scripts; without Keras, so that --help is answered at once."""

import argparse
import signal
import sys
from math import inf
from pathlib import Path

MODEL_FILES = (".keras", ".h5")
OTHER_FILES = (".bin", ".safetensors", ".pt", ".ckpt", ".onnx", ".json")


def argument_parser(description, max_len, batch_size, epochs, learning_rate):
    """Arguments that all scripts take, with a script's own default values."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", help="model folder, tiny, or hf://org/name on the hub")
    parser.add_argument("train", type=existing_file, help="file with the training data")
    parser.add_argument("dev", type=existing_file, help="file with the evaluation data")
    parser.add_argument("--output", default="tuned", help="folder for the learning curve")
    save_help = "folder for the tuned model, which transformers loads as well; or a .keras file"
    parser.add_argument("--save", type=model_target, help=save_help)
    parser.add_argument("--from-scratch", action="store_true", help="do not load the weights")
    case_help = "keep case; by default what the folder or else the vocabulary says"
    parser.add_argument("--cased", action="store_true", help=case_help)
    numbers = [  # name, type, least, below, default, meaning
        ("--max-len", int, 5, inf, max_len, "largest number of tokens of a text"),
        ("--batch-size", int, 1, inf, batch_size, "examples in a batch"),
        ("--epochs", int, 1, inf, epochs, "number of epochs"),
        ("--learning-rate", float, 0, inf, learning_rate, "peak learning rate"),
        ("--dropout", float, 0, 1, 0.1, "dropout rate"),
        ("--seed", int, 0, 2**32, 0, "seed for all random numbers"),
        ("--limit", int, 1, inf, None, "use only the first N examples of each file"),
    ]
    for name, kind, least, below, default, text in numbers:
        text = text if default is None else f"{text} (%(default)s)"
        kind = number_in(kind, least, below)
        parser.add_argument(name, type=kind, metavar="N", default=default, help=text)
    return parser


def run(main):
    """Call a script's main function; Ctrl-C ends it with one line and 130, as it ends commands."""
    try:
        main()
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # nor shall what Python does at its end be
        print("\ninterrupted", file=sys.stderr)
        sys.exit(130)


def number_in(kind, least, below):
    """A function for argparse that converts a word to a number and checks its range."""

    def number(word):
        value = kind(word)
        if not least <= value < below:
            most = "" if below == inf else f" and below {below}"
            raise argparse.ArgumentTypeError(f"must be at least {least}{most}. Received: {word}")
        return value

    number.__name__ = kind.__name__  # used in argparse's messages
    return number


def existing_file(path):
    if Path(path).is_dir():
        raise argparse.ArgumentTypeError(f"{path} is a folder, not a file")
    if not Path(path).is_file():
        raise argparse.ArgumentTypeError(f"there is no file {path}")
    return path


def is_model_file(path):
    """Whether a name is that of a file of Keras, and not that of a folder."""
    return Path(path).suffix in MODEL_FILES


def model_target(path):
    if Path(path).suffix in OTHER_FILES:
        raise argparse.ArgumentTypeError(
            f"must end with .keras or .h5, not {path}, or be the name of a folder"
        )
    if is_model_file(path) and Path(path).is_dir():
        raise argparse.ArgumentTypeError(f"{path} is a folder")
    if not is_model_file(path) and Path(path).exists():
        raise argparse.ArgumentTypeError(f"{path} is there already")
    return path
