"""Vocabularies, texts and a tokenizer by the plain rules, for the tests of tokenizer/."""

import json
import random
from pathlib import Path

from hypothesis import strategies as st

from keras_bert.tokenizer import Tokenizer
from keras_bert.tokenizer.word_pieces import greedy_pieces

DATA = Path(__file__).with_name("data")
# What keras-bert 0.89 makes of some texts.
OLD = json.loads(DATA.joinpath("tokenizer_oracle.json").read_text(encoding="ascii"))
VOCABULARY = {token: index for index, token in enumerate(OLD["vocabulary"].split())}
# A SentencePiece vocabulary of 600 pieces, in both kinds of file.
PIECES = DATA / "sentencepiece"
README_DICT = {"[CLS]": 0, "[SEP]": 1, "un": 2, "##aff": 3, "##able": 4, "[UNK]": 5}

# Texts in which the rules, and the ways around them, have something to do.
odd_texts = st.text(
    st.one_of(
        st.sampled_from("  abcthefilmxyzABC.,#-[]的中天气Σσςİé\u0301\u0327\u302e각\u2028"),
        st.sampled_from("\x00\t\n\r\x0b\x1c\x85\xa0\xad\u200b\u3000\ufeff\ufffd\ud800"),
        st.sampled_from("\U0001d165\U0001d16d"),
        st.characters(),
    ),
    max_size=40,
)


def random_texts(count):
    """Texts of characters from all over Unicode, surrogates excepted."""
    rng = random.Random(5)
    blocks = [range(33, 127), range(97, 123), range(160, 592), range(0x300, 0x530)]
    blocks += [range(0x590, 0x1000), range(0x2000, 0x2100), range(0x3000, 0x3100)]
    blocks += [range(0x4E00, 0x4F00), range(0xAC00, 0xD7FF), range(0x110000), range(0x10000)]
    texts = []
    for _ in range(count):
        codes = [rng.choice(rng.choice(blocks)) for _ in range(rng.randrange(40))]
        texts.append("".join(rng.choice([chr(c), chr(c), chr(c), " ", "a"]) for c in codes))
    return list(map(without_surrogates, texts))


def without_surrogates(text):
    return "".join(character for character in text if not "\ud800" <= character <= "\udfff")


def code_points_that_differ():
    """Characters that the official mode treats differently from Hugging Face's tokenizers."""
    reasons = json.loads(DATA.joinpath("official_differences.json").read_text(encoding="ascii"))
    found = set()
    for ranges in reasons.values():
        for part in ranges.split():
            first, _, last = part.partition("-")
            found.update(map(chr, range(int(first, 16), int(last or first, 16) + 1)))
    return found


class ByTheRules(Tokenizer):
    """Overrides hooks without changing them, which rules out every shortcut."""

    @staticmethod
    def _is_space(ch):
        return Tokenizer._is_space(ch)

    def _word_piece_tokenize(self, word):
        return greedy_pieces(word, self._token_dict, self._token_unk if self._official else None)
