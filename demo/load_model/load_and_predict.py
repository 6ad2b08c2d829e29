"""Masked words, and whether one sentence follows another.

    python demo/load_model/load_and_predict.py
    python demo/load_model/load_and_predict.py MODEL --text "A [MASK] is red." --pair FIRST SECOND

MODEL is a folder in Google's or Hugging Face's format that contains both pretraining heads, or the
URL of an archive of one; the default is the small English model of this package. The script prints
the five most probable tokens for every [MASK], and for each pair the probability that the second
sentence follows the first.
"""

import argparse

import numpy as np

ENGLISH_TEXT = "The capital of France is [MASK]."
ENGLISH_PAIRS = [
    ("The capital of France is Paris.", "The city lies on the river Seine."),
    ("The capital of France is Paris.", "Penguins cannot fly, but they swim well."),
]
CHINESE_TEXT = "中国的首都是[MASK]京。"
CHINESE_PAIRS = [
    ("中国的首都是北京。", "它也是全国的文化中心。"),
    ("中国的首都是北京。", "企鹅不会飞，但是很会游泳。"),
]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", nargs="?", default="tiny")
    parser.add_argument("--text", help="text that contains [MASK]")
    parser.add_argument("--pair", nargs=2, action="append", metavar=("FIRST", "SECOND"))
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
        TOKEN_MASK,
        Tokenizer,
        load_trained_model_from_checkpoint,
        load_vocabulary,
    )
    from keras_bert.tokenizer.vocabulary import is_cased

    model = load_trained_model_from_checkpoint(
        paths.config, paths.checkpoint, training=True, seq_len=None
    )
    vocabulary = load_vocabulary(paths.vocab)
    chinese = "语" in vocabulary
    text = arguments.text or (CHINESE_TEXT if chinese else ENGLISH_TEXT)
    pairs = arguments.pair or (CHINESE_PAIRS if chinese else ENGLISH_PAIRS)
    cased = arguments.cased or is_cased(folder, vocabulary)
    tokenizer = Tokenizer(vocabulary, cased=cased, official=True)

    indices, segments, _ = tokenizer.encode_batch([text, *pairs])
    masks = (indices == vocabulary[TOKEN_MASK]).astype("int32")
    words, next_sentence = model.predict([indices, segments, masks], verbose=0)

    tokens = {index: token for token, index in vocabulary.items()}
    print(text)
    for probabilities in words[0, masks[0] == 1]:
        best = np.argsort(-probabilities)[:5]
        print("   ", *(f"{tokens[index]} {probabilities[index]:.3f}" for index in best), sep="  ")
    for (first, second), probabilities in zip(pairs, next_sentence[1:], strict=True):
        # Index 0: the second sentence follows the first; index 1: it is a random sentence.
        print(f"{probabilities[0]:.3f}  {first} | {second}")


if __name__ == "__main__":
    main()
