"""The features of every token, as computed by Google's extract_features.py.

    python demo/load_model/load_and_extract.py
    python demo/load_model/load_and_extract.py MODEL --text "all work and no play"

MODEL is a folder in Google's or Hugging Face's format, or the URL of an archive that contains one;
the default is the small English model of this package. The script prints the first five features of
each token in the last layer. For "语言模型" and Google's chinese_L-12_H-768_A-12, it begins with

    [CLS] -0.63251 0.203023 0.079366 -0.032843 0.566809
    语 -0.758835 0.096518 1.071875 0.005038 0.688799

which is the published output of Google's tool. If the folder has that name, the script compares its
numbers with these, and fails if they differ.
"""

import argparse
import re
import sys
from pathlib import Path

import numpy as np

PUBLISHED_MODEL, PUBLISHED_TEXT = "chinese_L-12_H-768_A-12", "语言模型"
PUBLISHED = [
    line.split() for line in re.findall(r"^    (\S+(?: -?\d\.\d+){5})$", __doc__, re.MULTILINE)
]
# Far above the rounding differences of float32 sums, far below those of any other formula.
TOLERANCE = 1e-4


def check(tokens, features):
    """Compare with the published numbers; exit if they differ."""
    expected = np.array([values for _, *values in PUBLISHED], "float32")
    received = features[: len(PUBLISHED), : expected.shape[1]]
    difference = np.abs(received - expected).max()
    if tokens[: len(PUBLISHED)] != [token for token, *_ in PUBLISHED]:
        sys.exit(f"These are not the tokens of Google's tool: {' '.join(tokens)}")
    if not difference <= TOLERANCE:
        sys.exit(f"These are not the numbers of Google's tool: they differ by {difference:.6f}.")
    print(f"Same numbers as Google's tool, to within {difference:.6f}.")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", nargs="?", default="tiny")
    parser.add_argument("--text")
    case_help = "keep case; by default what the folder or else the vocabulary says"
    parser.add_argument("--cased", action="store_true", help=case_help)
    arguments = parser.parse_args()
    # Imported now, so that --help is answered at once; Keras later still, after mistakes.
    from keras_bert.commands.shared import model_paths

    try:
        folder, paths = model_paths(arguments.model)
    except (OSError, ValueError, ImportError) as error:
        parser.error(f"argument model: {error}")
    from keras_bert import (
        Tokenizer,
        load_trained_model_from_checkpoint,
        load_vocabulary,
    )
    from keras_bert.tokenizer.vocabulary import is_cased

    model = load_trained_model_from_checkpoint(paths.config, paths.checkpoint, seq_len=None)
    vocabulary = load_vocabulary(paths.vocab)
    cased = arguments.cased or is_cased(folder, vocabulary)
    tokenizer = Tokenizer(vocabulary, cased=cased, official=True)
    text = arguments.text
    if text is None:
        text = PUBLISHED_TEXT if "语" in vocabulary else "language model"

    tokens = tokenizer.tokenize(text)
    indices, segments = tokenizer.encode(text)
    features = model.predict([np.array([indices]), np.array([segments])], verbose=0)[0]
    for token, values in zip(tokens, features, strict=True):
        print(token, *(f"{value:.6f}" for value in values[:5]))
    if Path(folder).name == PUBLISHED_MODEL and text == PUBLISHED_TEXT:
        check(tokens, features)


if __name__ == "__main__":
    main()
