"""How strongly each token attends to every other, as numbers and as a picture.

    pip install '.[demo]'
    python demo/load_model/load_and_get_attention_map.py attention.png
    python demo/load_model/load_and_get_attention_map.py MODEL layer_1.png --layer 1 --text "…"

MODEL is a folder in Google's or Hugging Face's format, or the URL of an archive that contains one;
the default is the small English model of this package. The picture shows a heat map for every head
of a layer: a token's row shows how strongly it attends to the tokens of the columns. The script
prints the token that each token attends to most, averaged over the heads.
"""

import argparse

import numpy as np


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", nargs="?", default="tiny")
    parser.add_argument("picture", help="file to write: .png, .pdf or .svg")
    parser.add_argument("--text")
    parser.add_argument("--layer", type=int, help="encoder layer, from 1; the last by default")
    case_help = "keep case; by default what the folder or else the vocabulary says"
    parser.add_argument("--cased", action="store_true", help=case_help)
    arguments = parser.parse_args()
    # Imported now, so that --help is answered at once; Keras later still, after mistakes.
    from heat_maps import check_picture, save_attention_maps

    from keras_bert.commands.shared import model_paths

    check_picture(parser, arguments.picture)
    try:
        folder, paths = model_paths(arguments.model)
    except (OSError, ValueError, ImportError) as error:
        parser.error(f"argument model: {error}")
    from keras_bert import (
        Tokenizer,
        get_attention_maps,
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
        text = (
            "猫累了，所以它睡着了。" if "语" in vocabulary else "The cat slept, for it was tired."
        )

    tokens = tokenizer.tokenize(text)
    inputs = [np.array([row]) for row in tokenizer.encode(text)]
    maps = get_attention_maps(model, inputs)
    layer = len(maps) if arguments.layer is None else arguments.layer
    if not 1 <= layer <= len(maps):
        parser.error(f"--layer must be 1 to {len(maps)}. Received: {layer}")
    heads = maps[layer - 1][0]

    strongest = heads.mean(axis=0).argmax(axis=-1)
    for token, position in zip(tokens, strongest, strict=True):
        print(f"{token} -> {tokens[position]}")
    titles = [f"layer {layer}, head {head}" for head in range(1, len(heads) + 1)]
    save_attention_maps(arguments.picture, heads, tokens, titles)


if __name__ == "__main__":
    main()
