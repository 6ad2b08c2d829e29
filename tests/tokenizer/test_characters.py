"""What the rules call a punctuation, CJK, space, control or private-use character."""

import unicodedata

import pytest
from runtimes import once

from keras_bert.tokenizer import Tokenizer, characters

pytestmark = once

YES = {
    "is_punctuation": "!-/:@[`{~$^+|，。「﹏—\u00bf",
    "is_cjk_character": "一龥㐀豈𠀀𪜀",
    "is_space": " \t\n\r\u00a0\u3000\u2003",
    "is_control": "\x00\x0b\x1f\x7f\x85\u00ad\u200b\u202e\ufeff\t\n",
    "is_private_or_surrogate": "\ue000\uf8ff\U000f0000\ud800\udfff",
}
NO = {
    "is_punctuation": "a1中 €©\u0301",
    "is_cjk_character": "aかカ한。々",
    "is_space": "a\x0b\x1c\x85\u2028\u200b",
    "is_control": "a \u2028\ud800\u0378\ue000",
    "is_private_or_surrogate": "a中\ufffd\u200b",
}


@pytest.mark.parametrize("name", YES)
def test_character_rules(name):
    rule = getattr(characters, name)
    assert {rule(character) for character in YES[name]} == {True}
    assert {rule(character) for character in NO[name]} == {False}


@pytest.mark.parametrize("name", [name for name in YES if name != "is_private_or_surrogate"])
def test_the_hooks_of_the_tokenizer_are_these_rules(name):
    hook = getattr(Tokenizer, "_" + name)
    assert hook(YES[name][0])
    assert not hook(NO[name][0])


def test_cjk_blocks_are_those_of_the_unicode_names():
    # From 3400 on; the rules' blocks hold more than the Unicode of the running Python has named.
    for code_point in range(0x30000):
        name = unicodedata.name(chr(code_point), "")
        if name.startswith(("CJK UNIFIED IDEOGRAPH", "CJK COMPATIBILITY IDEOGRAPH")):
            # Extension F came after BERT.
            assert characters.is_cjk_character(chr(code_point)) or code_point >= 0x2CEB0
