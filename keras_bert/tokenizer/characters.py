"""What BERT's rules call punctuation, a CJK character, a space and a control character.

Source: the description of `BasicTokenizer` in BERT's tokenization documentation. The categories
are those of the Unicode database that comes with the running Python.
"""

import unicodedata

# ASCII symbols such as "$" and "^" count as punctuation although Unicode files them elsewhere.
_ASCII_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")

NULL = "\x00"
REPLACEMENT_CHARACTER = "\ufffd"


def is_punctuation(character: str) -> bool:
    """Whether the character is an ASCII symbol or of one of Unicode's punctuation categories."""
    return character in _ASCII_PUNCTUATION or unicodedata.category(character)[0] == "P"


def is_cjk_character(character: str) -> bool:
    """Whether the character lies in one of the blocks of Chinese characters.

    Kana and Hangul are left out on purpose: they are written in words like other alphabets.
    """
    code_point = ord(character)
    # Written out, since a loop over the blocks is much slower.
    return code_point >= 0x3400 and (
        0x4E00 <= code_point <= 0x9FFF  # CJK Unified Ideographs
        or code_point <= 0x4DBF  # Extension A, from 0x3400
        or 0xF900 <= code_point <= 0xFAFF  # CJK Compatibility Ideographs
        or 0x20000 <= code_point <= 0x2A6DF  # Extension B
        or 0x2A700 <= code_point <= 0x2CEAF  # Extensions C, D and E
        or 0x2F800 <= code_point <= 0x2FA1F  # CJK Compatibility Ideographs Supplement
    )


def is_space(character: str) -> bool:
    """Whether the character is a blank, a tab, a line end or of category Zs."""
    return character in (" ", "\t", "\n", "\r") or unicodedata.category(character) == "Zs"


def is_control(character: str) -> bool:
    """Whether the character is of category Cc or Cf, tab and line ends included."""
    return unicodedata.category(character) in ("Cc", "Cf")


def is_private_or_surrogate(character: str) -> bool:
    """Whether the character is of category Co or Cs, which the official rules drop as well."""
    return unicodedata.category(character) in ("Co", "Cs")
