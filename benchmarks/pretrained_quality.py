"""How well a model predicts masked words and next sentences, and finds paraphrases.

    python benchmarks/pretrained_quality.py MODEL TEXT [TEXT ...]

A TEXT is what demo/pretrain.py takes: UTF-8, a sentence in every line, an empty line between
documents. A row is two neighbouring pieces of a document, at most 128 tokens together; all models
with the same vocabulary get the same rows. Heads that the model's file lacks are left out.

masked words: 15 % of a row's tokens are replaced by [MASK], for the model to predict. "commonest"
is the share that is right by chance: if every prediction were the token that is masked most often.

next sentence: half of the rows get the second piece of another row, and the model predicts whether
it is the next one. By chance, one half is right.

paraphrases: in sentence_pairs.tsv, the two sentences of a line say the same in other words. Counted
are the sentences whose nearest one, by the cosine of mean token vectors, is the other of the line.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1] / "demo"))

from pretrain_text import pairs_of

from keras_bert import (
    POOL_AVE,
    Tokenizer,
    extract_embeddings,
    get_checkpoint_paths,
    load_trained_model_from_checkpoint,
    load_vocabulary,
)

LENGTH = 128
MASKS = round(0.15 * LENGTH)
MOST_ROWS = 500  # of a text
BATCH = 32


def load(folder: str):
    """The model with both heads, its vocabulary and tokenizer, and which heads its file has."""
    paths = get_checkpoint_paths(folder)
    model = load_trained_model_from_checkpoint(
        paths.config,
        paths.checkpoint,
        training=True,
        seq_len=None,
        allow_missing_heads=True,
        max_predictions=MASKS,
    )
    info = [sys.executable, "-m", "keras_bert", "info", "--json", folder]
    facts = json.loads(subprocess.run(info, check=True, stdout=subprocess.PIPE).stdout)
    vocabulary = load_vocabulary(paths.vocab)
    tokenizer = Tokenizer(vocabulary, cased=facts["vocabulary"]["cased"], official=True)
    return model, vocabulary, tokenizer, facts["heads"]


def pieces(text: str, tokenizer: Tokenizer) -> list[tuple[list[int], list[int]]]:
    """Pairs of neighbouring pieces, as token ids."""
    ids, sizes = [], []
    for line in Path(text).read_text("utf-8-sig").splitlines():
        sentence = tokenizer.encode(line)[0][1:-1]
        ids += sentence
        if sentence or not line:
            sizes.append(len(sentence))
    spans = pairs_of(sizes, (LENGTH - 3) // 2)
    chosen = np.random.default_rng(0).permutation(len(spans))[:MOST_ROWS]
    return [(ids[start:middle], ids[middle:end]) for start, middle, end in spans[chosen]]


def arrays(pairs, vocabulary):
    """Token ids and segments, padded."""
    ids = np.full((len(pairs), LENGTH), vocabulary["[PAD]"])
    segments = np.zeros_like(ids)
    for row, (first, second) in enumerate(pairs):
        tokens = [vocabulary["[CLS]"], *first, vocabulary["[SEP]"], *second, vocabulary["[SEP]"]]
        ids[row, : len(tokens)] = tokens
        segments[row, len(first) + 2 : len(tokens)] = 1
    return ids, segments


def masked_words(model, pairs, vocabulary) -> dict[str, float]:
    """Shares of masked tokens predicted first, among the first five, and right by chance."""
    ids, segments = arrays(pairs, vocabulary)
    special = [vocabulary[token] for token in ("[PAD]", "[CLS]", "[SEP]", "[UNK]")]
    drawn = np.where(np.isin(ids, special), 2.0, np.random.default_rng(1).random(ids.shape))
    masks = (drawn < 0.15) & (drawn <= np.sort(drawn, axis=1)[:, MASKS - 1 : MASKS])
    inputs = [np.where(masks, vocabulary["[MASK]"], ids), segments, masks.astype(int)]
    ranks, truths = [], []
    for begin in range(0, len(ids), BATCH):
        rows = slice(begin, begin + BATCH)
        logits = np.asarray(model.predict_on_batch([each[rows] for each in inputs])[0])
        logits = np.concatenate(
            [row[:count] for row, count in zip(logits, masks[rows].sum(axis=1), strict=True)]
        )
        truth = ids[rows][masks[rows]]
        ranks.append((logits > np.take_along_axis(logits, truth[:, None], axis=1)).sum(axis=1))
        truths.append(truth)
    rank, truth = np.concatenate(ranks), np.concatenate(truths)
    return {
        "masked words": len(truth),
        "first guess": (rank == 0).mean(),
        "first five": (rank < 5).mean(),
        "commonest": np.bincount(truth).max() / len(truth),
    }


def next_sentences(model, pairs, vocabulary) -> dict[str, float]:
    """Share of rows for which it is predicted right whether the second piece is the next."""
    others = np.random.default_rng(2).permutation(len(pairs))
    swapped = np.arange(len(pairs)) % 2 == 1
    rows = [
        (first, pairs[other][1] if swap else second)
        for (first, second), other, swap in zip(pairs, others, swapped, strict=True)
    ]
    ids, segments = arrays(rows, vocabulary)
    inputs = [ids, segments, np.zeros_like(ids)]
    guesses = [
        np.asarray(model.predict_on_batch([each[begin : begin + BATCH] for each in inputs])[1])
        for begin in range(0, len(ids), BATCH)
    ]
    return {"next sentence": (np.concatenate(guesses).argmax(axis=1) == swapped).mean()}


def paraphrases(folder: str) -> str:
    """How many sentences are nearest to the one that says the same."""
    lines = Path(__file__).with_name("sentence_pairs.tsv").read_text("utf-8").splitlines()
    texts = [text for line in lines for text in line.split("\t")]
    vectors = np.stack(extract_embeddings(folder, texts, poolings=POOL_AVE))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -1.0)
    others = np.arange(len(texts)) ^ 1  # 2k and 2k + 1 are a pair
    return f"{(cosines.argmax(axis=1) == others).sum()} of {len(texts)}"


def main() -> None:
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    folder, texts = sys.argv[1], sys.argv[2:]
    model, vocabulary, tokenizer, heads = load(folder)
    for text in texts:
        pairs = pieces(text, tokenizer)
        results = {}
        if "masked words" in heads:
            results |= masked_words(model, pairs, vocabulary)
        if "next sentence" in heads:
            results |= next_sentences(model, pairs, vocabulary)
        shown = (
            f"{name} {value}" if isinstance(value, int) else f"{name} {value:.1%}"
            for name, value in results.items()
        )
        print(f"{Path(text).stem}: {len(pairs)} rows; {', '.join(shown)}")
    print(f"paraphrases: {paraphrases(folder)}")


if __name__ == "__main__":
    main()
