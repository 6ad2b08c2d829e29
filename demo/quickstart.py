"""Masked words, next sentences and similar sentences, with the small model in the package.

    python demo/quickstart.py [MODEL]

MODEL is any other model folder with a configuration, the weights of the encoder and of both heads,
and a vocabulary.
"""

import sys
import time

import numpy as np

from keras_bert import (
    POOL_AVE,
    PretrainedList,
    Tokenizer,
    extract_embeddings,
    get_checkpoint_paths,
    get_pretrained,
    load_trained_model_from_checkpoint,
    load_vocabulary,
)

MASKED = [
    "The ship left the [MASK] at noon.",
    "He opened the [MASK] and went into the house.",
    "This function returns a [MASK] of strings.",
    "The president signed the [MASK] last year.",
]
FIRST = "The ship left the harbour early in the morning."
NEXT = [
    "By noon the captain could no longer see the coast.",
    "The court shall appoint two judges for each district.",
]
QUERY = "The army was defeated in the war."
SENTENCES = [
    "Our troops lost the battle.",
    "She was very fond of her sister.",
    "The price of bread has risen this year.",
    "The enemy's soldiers won a great victory.",
    "A function returns the value of its argument.",
    "Food has become more expensive.",
]


def masked_words(model, tokenizer, vocabulary, top: int = 5) -> None:
    """Print the most probable tokens for each [MASK]."""
    print("Masked words, with the probabilities of the guesses:")
    ids, segments, _ = tokenizer.encode_batch(MASKED)
    masks = (ids == vocabulary["[MASK]"]).astype("int32")
    probabilities, _ = model.predict([ids, segments, masks], verbose=0)
    tokens = list(vocabulary)
    for text, row in zip(MASKED, probabilities[masks == 1], strict=True):
        best = np.argsort(-row)[:top]
        print(f"  {text}  {', '.join(f'{tokens[index]} {row[index]:.2f}' for index in best)}")


def next_sentences(model, tokenizer) -> None:
    """Print how likely each sentence is to follow the first."""
    ids, segments, _ = tokenizer.encode_batch([(FIRST, each) for each in NEXT])
    _, follows = model.predict([ids, segments, np.zeros_like(ids)], verbose=0)
    print(f"\nProbability that a sentence follows {FIRST!r}:")
    for text, (probability, _) in zip(NEXT, follows, strict=True):
        print(f"  {probability:.2f}  {text}")


def similar_sentences(folder: str) -> None:
    """Rank the sentences by similarity to the query, the cosine of mean token vectors."""
    vectors = np.stack(extract_embeddings(folder, [QUERY, *SENTENCES], poolings=POOL_AVE))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = vectors[1:] @ vectors[0]
    print(f"\nSimilarity (cosine) to {QUERY!r}:")
    for index in np.argsort(-cosines):
        print(f"  {cosines[index]:.2f}  {SENTENCES[index]}")


def main() -> None:
    if len(sys.argv) > 2 or sys.argv[1:] in (["-h"], ["--help"]):
        sys.exit(__doc__)
    start = time.perf_counter()
    folder = get_pretrained(sys.argv[1] if len(sys.argv) == 2 else PretrainedList.tiny)
    paths = get_checkpoint_paths(folder)
    model = load_trained_model_from_checkpoint(
        paths.config, paths.checkpoint, training=True, seq_len=None
    )
    vocabulary = load_vocabulary(paths.vocab)
    tokenizer = Tokenizer(vocabulary, official=True)  # which keeps [MASK] whole

    masked_words(model, tokenizer, vocabulary)
    next_sentences(model, tokenizer)
    similar_sentences(folder)
    print(f"\nLoaded and computed in {time.perf_counter() - start:.1f} s.")


if __name__ == "__main__":
    main()
