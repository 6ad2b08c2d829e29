"""One vector for a sentence or a pair of sentences.

    python demo/load_model/load_and_pool.py
    python demo/load_model/load_and_pool.py MODEL

MODEL is a folder in Google's or Hugging Face's format, or the URL of an archive that contains one;
the default is the small English model of this package. From each of the last four layers (or all,
if there are fewer), the script takes the vector of the first token (POOL_NSP) and the maximum over
all tokens (POOL_MAX): with D features per token, these are 4 · 2 · D numbers for each text. It
prints their shape and the first five of them.
"""

import argparse

TEXTS = [
    "all work and no play",
    ("all work and no play", "makes jack a dull boy"),
    ("makes jack a dull boy", "all work and no play"),
]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", nargs="?", default="tiny")
    case_help = "the vocabulary contains upper case"
    parser.add_argument("--cased", action="store_true", default=None, help=case_help)
    arguments = parser.parse_args()
    # Imported now, so that --help is answered at once; Keras later still, after mistakes.
    from keras_bert.commands.shared import model_paths

    try:
        folder, _ = model_paths(arguments.model)
    except (OSError, ValueError, ImportError) as error:
        parser.error(f"argument model: {error}")
    from keras_bert import POOL_MAX, POOL_NSP, extract_embeddings

    vectors = extract_embeddings(
        folder,
        TEXTS,
        poolings=[POOL_NSP, POOL_MAX],
        output_layer_num=4,
        cased=arguments.cased,
        official=True,
    )
    for text, vector in zip(TEXTS, vectors, strict=True):
        print(text)
        print("   ", vector.shape, *(f"{value:.6f}" for value in vector[:5]))


if __name__ == "__main__":
    main()
