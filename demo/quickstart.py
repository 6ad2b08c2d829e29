"""Masked words, next sentences and similar sentences, with the small model in the package.

    python demo/quickstart.py [MODEL]

MODEL is any other model folder with a configuration, the weights of the encoder and of both heads,
and a vocabulary.
"""

import argparse
import os
import time

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's start is not the subject here

# Chosen because the model of the package, which has not seen them, does well on them; how often it
# does, says its card, keras_bert/datasets/tiny/README.md.
MASKED = [
    "The island lies in the South [MASK] Ocean.",
    "The [MASK] swam round the ship and struck it with his tail.",
    "The Soviet [MASK] fell in 1991.",
    "Python is a programming [MASK].",
]
FIRST = "The king died, and his son reigned in his place."
NEXT = [
    "He was twenty years old when he became king.",
    "She could not help smiling at Mr. Knightley.",
    "Exports of oil and gas are growing.",
]
QUERY = "The army lost the battle."
SENTENCES = [
    "Our troops were defeated.",
    "A physician healed the patient.",
    "The climate is warm, with little rain.",
    "An error occurs when the path does not exist.",
]
WIDTH = max(map(len, [*MASKED, *NEXT, *SENTENCES]))  # of the first column


def masked_words(model, tokenizer, vocabulary, top: int = 3) -> None:
    """Print the most probable tokens for each [MASK]."""
    print("What stands behind [MASK], and how probable that is:")
    ids, segments, _ = tokenizer.encode_batch(MASKED)
    masks = (ids == vocabulary["[MASK]"]).astype("int32")
    probabilities, _ = model.predict([ids, segments, masks], verbose=0)
    tokens = list(vocabulary)
    for text, row in zip(MASKED, probabilities[masks == 1], strict=True):
        best = np.argsort(-row)[:top]
        guesses = [f"{tokens[index]} {row[index]:.2f}" for index in best]
        print(f"  {text:{WIDTH}}  {'  '.join(f'{guess:13}' for guess in guesses).rstrip()}")


def next_sentences(model, tokenizer) -> None:
    """Print how likely each sentence is to follow the first."""
    ids, segments, _ = tokenizer.encode_batch([(FIRST, each) for each in NEXT])
    _, follows = model.predict([ids, segments, np.zeros_like(ids)], verbose=0)
    print(f'\nDoes it follow "{FIRST}"?')
    for text, (probability, _) in zip(NEXT, follows, strict=True):
        print(f"  {text:{WIDTH}}  {probability:.2f}")


def similar_sentences(folder: str) -> None:
    """Rank the sentences by similarity to the query, the cosine of mean token vectors."""
    from keras_bert import POOL_AVE, extract_embeddings

    texts = [QUERY, *SENTENCES]
    vectors = extract_embeddings(folder, texts, poolings=POOL_AVE, stacked=True)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = vectors[1:] @ vectors[0]
    print(f'\nHow similar is it to "{QUERY}"?')
    for index in np.argsort(-cosines):
        print(f"  {SENTENCES[index]:{WIDTH}}  {cosines[index]:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", nargs="?", default="tiny", metavar="MODEL")
    name = parser.parse_args().model
    # Imported now, so that --help is answered at once; Keras later still, after mistakes.
    from keras_bert.commands.shared import model_paths
    from keras_bert.commands.starting import quietly

    start = time.perf_counter()
    try:
        folder, paths = model_paths(name)
    except (OSError, ValueError, ImportError) as error:
        parser.error(f"argument MODEL: {error}")
    with quietly():
        from keras_bert import Tokenizer, load_trained_model_from_checkpoint, load_vocabulary
        from keras_bert.tokenizer.vocabulary import is_cased

    model = load_trained_model_from_checkpoint(
        paths.config, paths.checkpoint, training=True, seq_len=None
    )
    vocabulary = load_vocabulary(paths.vocab)
    cased = is_cased(folder, vocabulary)
    tokenizer = Tokenizer(vocabulary, cased=cased, official=True)  # which keeps [MASK] whole

    masked_words(model, tokenizer, vocabulary)
    next_sentences(model, tokenizer)
    similar_sentences(folder)
    size = model.count_params() / 1e6
    seconds = time.perf_counter() - start
    print(f"\nA model of {size:.1f} million weights, loaded and run in {seconds:.1f} seconds.")


if __name__ == "__main__":
    main()
