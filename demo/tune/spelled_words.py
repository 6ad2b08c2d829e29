"""Digits and letters that are words of their own in the data of entities.py."""

import sys
from collections import Counter
from itertools import groupby
from textwrap import shorten

from keras_bert.tokenizer.characters import is_cjk_character


def warn_of_spelled(sentences, path):
    """Say so if a model learns of digits or letters one by one, and of no whole numbers or words.

    Many tables in Chinese have them so, as each character has a tag.
    """
    if example := spelled(sentences):
        print(
            f"{path}: digits or letters are words of their own, such as {example!r}. Texts for "
            "`classify` need the same spaces, or they will be one word there and get wrong tags.",
            file=sys.stderr,
        )


def kind_of(word):
    """Of what a word is that the tokenizer leaves whole: "digits", "letters", or else None."""
    if is_cjk_character(word[0]):
        return None
    return "digits" if word.isdigit() else "letters" if word.isalpha() else None


def spelled(sentences):
    """An example of digits or letters that are mostly words of their own: "1 9 9 8"; None without.

    `sentences` are lists of words and of tags.
    """
    runs, wholes = {}, Counter()
    for words, _ in sentences:
        for (kind, is_one), group in groupby(words, lambda word: (kind_of(word), len(word) == 1)):
            run = list(group)
            if not is_one:
                wholes[kind] += len(run)
            elif kind and len(run) > 1:
                runs.setdefault(kind, []).append(run)
    for kind, found in runs.items():
        if len(found) > wholes[kind]:
            return shorten(" ".join(found[0]), 40, placeholder=" …")
    return None
