"""The tokenizer.json made of a SentencePiece model, against the one that transformers made."""

import json

import pytest
from runtimes import once
from tokenizer_texts import PIECES

from keras_bert.tokenizer import VocabularyError
from keras_bert.tokenizer.kept_tokens import KeptToken
from keras_bert.tokenizer.text_rules import USUAL_RULES
from keras_bert.tokenizer.tokenizer_json import as_tokenizer_json

pytestmark = once

MODEL = PIECES / "spiece.model"


@pytest.mark.parametrize("cased", [False, True])
def test_it_is_that_of_transformers_with_special_tokens_alone(cased):
    expected = json.loads((PIECES / "tokenizer.json").read_text("utf-8"))
    expected["added_tokens"] = [each for each in expected["added_tokens"] if each["special"]]
    # As in the files of 2020, which divide texts at all blanks first.
    expected["pre_tokenizer"] = {
        "type": "Sequence",
        "pretokenizers": [{"type": "WhitespaceSplit"}, expected["pre_tokenizer"]],
    }
    if cased:
        steps = expected["normalizer"]["normalizers"]
        lost = ("NFKD", "StripAccents", "Lowercase")
        steps[:] = [each for each in steps if each["type"] not in lost]
    made = as_tokenizer_json(MODEL, cased, cased, USUAL_RULES, {})
    assert json.loads(json.dumps(made)) == expected


def test_added_tokens():
    rules = USUAL_RULES._replace(added=(KeptToken("<url>", single_word=True), KeptToken("none")))
    made = as_tokenizer_json(MODEL, False, False, rules, {"<url>": 600})
    assert made["added_tokens"][-1] == {
        **{"id": 600, "content": "<url>", "single_word": True, "normalized": False},
        **{"lstrip": False, "rstrip": False, "special": False},
    }
    assert len(made["added_tokens"]) == 6


def test_a_damaged_model_is_named(tmp_path):
    path = tmp_path / "spiece.model"
    content = MODEL.read_bytes()
    lacking = content.replace(b"[CLS]", b"[cls]")
    for damaged in (b"", content[:1000], b"\x0a\x00" + content, lacking):
        path.write_bytes(damaged)
        with pytest.raises(VocabularyError, match=r"spiece\.model (is damaged|lacks)"):
            as_tokenizer_json(path, False, False, USUAL_RULES, {})
