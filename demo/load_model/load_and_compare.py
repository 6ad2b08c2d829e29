"""Similarity of sentences, as numbers and as a picture.

    pip install '.[demo]'
    python demo/load_model/load_and_compare.py similarity.png
    python demo/load_model/load_and_compare.py MODEL similarity.png --texts sentences.txt

MODEL is a folder in Google's or Hugging Face's format, or the URL of an archive that contains one;
the default is the small English model of this package. --texts names a file with one sentence per
line. The vector of a sentence is the mean of its token vectors; the heat map shows the cosines
between the vectors, and the script prints the nearest sentence of each. Plain BERT gives high
similarities to all sentences; models trained for similarity, such as all-MiniLM-L6-v2, distinguish
them well.
"""

import argparse
from pathlib import Path

import numpy as np

ENGLISH = [
    "The army lost the battle.",
    "Our troops were defeated.",
    "The summers are hot and dry.",
    "The climate is warm, with little rain.",
    "The doctor cured the sick man.",
    "A physician healed the patient.",
]
CHINESE = [
    "今天下了一整天的雨。",
    "雨从早上一直下到晚上。",
    "我们队赢了两个球。",
    "球员们踢进两球，赢得了比赛。",
    "用黄油把洋葱炒一炒。",
    "把蔬菜放进锅里慢慢煮。",
]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", nargs="?", default="tiny")
    parser.add_argument("picture", help="file to write: .png, .pdf or .svg")
    parser.add_argument("--texts", type=Path, help="file with one sentence per line")
    case_help = "the vocabulary contains upper case"
    parser.add_argument("--cased", action="store_true", default=None, help=case_help)
    arguments = parser.parse_args()
    # Imported now, so that --help is answered at once; Keras later still, after mistakes.
    from heat_maps import check_picture, save_similarities

    from keras_bert.commands.shared import model_paths, why_not_utf8

    check_picture(parser, arguments.picture)
    try:
        folder, paths = model_paths(arguments.model)
    except (OSError, ValueError, ImportError) as error:
        parser.error(f"argument model: {error}")
    texts = None
    if arguments.texts:
        try:
            lines = arguments.texts.read_text("utf-8-sig").splitlines()
        except UnicodeDecodeError:
            parser.error(f"argument --texts: {why_not_utf8(arguments.texts)}")
        except OSError as error:
            parser.error(f"argument --texts: {arguments.texts}: {error.strerror}")
        texts = [line for line in lines if line.strip()]
        if len(texts) < 2:
            parser.error(f"two or more sentences are needed. Received: {texts}")
    from keras_bert import POOL_AVE, extract_embeddings, load_vocabulary

    if texts is None:
        texts = CHINESE if "语" in load_vocabulary(paths.vocab) else ENGLISH
    vectors = extract_embeddings(
        folder, texts, poolings=POOL_AVE, cased=arguments.cased, official=True
    )
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = vectors @ vectors.T
    others = cosines - 3 * np.eye(len(texts))  # a sentence is not its own nearest sentence
    for text, cosine, index in zip(texts, others.max(axis=1), others.argmax(axis=1), strict=True):
        print(f"{cosine:.2f}  {text}  {texts[index]}")
    save_similarities(arguments.picture, cosines, texts, "cosine of mean token vectors")


if __name__ == "__main__":
    main()
