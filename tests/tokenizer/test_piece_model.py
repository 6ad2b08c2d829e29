import json
import random

import pytest
from runtimes import once
from text_damage import damaged
from tokenizer_texts import PIECES

from keras_bert.tokenizer import SentencePieceTokenizer, VocabularyError
from keras_bert.tokenizer.piece_model import read_piece_model

pytestmark = once

MODEL, JSON = PIECES / "spiece.model", PIECES / "tokenizer.json"
DOCUMENT = json.loads(JSON.read_text(encoding="utf-8"))
TEXTS = json.loads(PIECES.joinpath("oracle.json").read_text(encoding="ascii"))["texts"]


def written(folder, **changes):
    """A tokenizer.json with other members, or of the model where their name begins so."""
    model = {name[6:]: changes.pop(name) for name in [*changes] if name.startswith("model_")}
    document = {**DOCUMENT, "model": {**DOCUMENT["model"], **model}, **changes}
    path = folder / "tokenizer.json"
    path.write_text(json.dumps(document), "utf-8")
    return path


def test_tokenizer_json_gives_the_pieces_of_the_model_that_it_was_made_from():
    by_model, by_json = SentencePieceTokenizer(MODEL), SentencePieceTokenizer(JSON)
    assert by_model._token_dict == by_json._token_dict
    for official in (False, True):
        by_model._official = by_json._official = official
        for text in TEXTS:
            assert by_model.encode_with_offsets(text) == by_json.encode_with_offsets(text)
    processors = by_model._processor, by_json._processor
    for index in range(len(by_model._token_dict)):
        first, second = (each.get_score(index) for each in processors)
        assert first == second
        first, second = (each.is_control(index) for each in processors)
        assert first == second


def steps_without(*kinds):
    steps = DOCUMENT["normalizer"]["normalizers"]
    left = [step for step in steps if step["type"] not in kinds]
    return {"type": "Sequence", "normalizers": left}


def test_case_and_accents_are_what_tokenizer_json_says(tmp_path):
    assert read_piece_model(JSON)[1:] == (False, False)
    assert read_piece_model(MODEL)[1:] == (None, None)
    path = written(tmp_path, normalizer=steps_without("Lowercase"))
    assert read_piece_model(path)[1:] == (True, False)
    assert SentencePieceTokenizer(path).tokenize("É") == ["[CLS]", "▁", "E", "[SEP]"]
    path = written(tmp_path, normalizer=steps_without("NFKD", "StripAccents"))
    assert read_piece_model(path)[1:] == (False, True)
    assert SentencePieceTokenizer(path).tokenize("É") == ["[CLS]", "▁", "é", "[SEP]"]


def test_the_map_of_characters_is_honoured(tmp_path):
    keep = {"keep_accents": True}
    assert "▁f" in SentencePieceTokenizer(JSON, **keep).tokenize("ﬁne")
    path = written(tmp_path, normalizer=steps_without("Precompiled"))
    assert "▁f" not in SentencePieceTokenizer(path, **keep).tokenize("ﬁne")


def test_pre_tokenizers_of_old_and_new_files(tmp_path):
    old = {"type": "Metaspace", "replacement": "▁", "add_prefix_space": True}
    expected = SentencePieceTokenizer(JSON).encode("a film")
    for each in (
        old,
        {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, old]},
        {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True},
    ):
        path = written(tmp_path, pre_tokenizer=each)
        assert SentencePieceTokenizer(path).encode("a film") == expected


REPLACED = [*DOCUMENT["normalizer"]["normalizers"], {"type": "NFC"}]
PRECOMPILED = {"type": "Precompiled", "precompiled_charsmap": "?"}
VOCAB = DOCUMENT["model"]["vocab"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "BPE"}, "type Unigram.*Received: 'BPE'"),
        ({"model_byte_fallback": True}, "must not have byte_fallback"),
        ({"model_unk_id": 600}, "must have a piece for 'unk_id'. Received: 600"),
        ({"model_unk_id": None}, "'unk_id' is of the type int"),
        ({"model_vocab": {"a": 1}}, "'vocab' is of the type list"),
        ({"model_vocab": [["a"]]}, r"must give each piece a score. Received: \['a'\]"),
        ({"model_vocab": [["a", float("nan")]]}, "must give each piece a score"),
        ({"model_vocab": [["a", "1"]]}, "must give each piece a score"),
        ({"model_vocab": [["\ud800", 0.0]]}, "must hold whole characters"),
        ({"model_vocab": [*VOCAB, VOCAB[-1]]}, "must be a SentencePiece model"),
        ({"added_tokens": [{"id": -1, "content": "new"}]}, "ids of their own.*'new'"),
        ({"added_tokens": [{"id": 5, "content": "new"}]}, "ids of their own.*as the id 5"),
        ({"normalizer": None}, "must normalize texts as ALBERT's.*Received: None"),
        ({"normalizer": {"type": "Sequence", "normalizers": REPLACED}}, "Received: .*NFC"),
        ({"normalizer": steps_without("Replace")}, "must normalize texts as ALBERT's"),
        (
            {"normalizer": {"normalizers": [*REPLACED[:2], PRECOMPILED]}},
            "damaged precompiled_charsmap",
        ),
        ({"pre_tokenizer": None}, "must divide texts by Metaspace"),
        ({"pre_tokenizer": {"type": "BertPreTokenizer"}}, "Received: .*BertPreTokenizer"),
        (
            {"pre_tokenizer": {**DOCUMENT["pre_tokenizer"], "prepend_scheme": "never"}},
            "must divide texts by Metaspace",
        ),
    ],
)
def test_what_would_be_done_otherwise_is_refused(tmp_path, changes, message):
    path = written(tmp_path, **changes)
    with pytest.raises(VocabularyError, match=message) as error:
        SentencePieceTokenizer(path)
    assert str(path) in str(error.value)


def test_a_file_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "spiece.model"
    for content in (b"", b"[PAD]\n[UNK]\n[CLS]\nthe\n", b"\x00" * 100):
        path.write_bytes(content)
        with pytest.raises(VocabularyError, match="must be a SentencePiece model"):
            SentencePieceTokenizer(path)
    with pytest.raises(TypeError, match="`vocab_path` must be the path"):
        SentencePieceTokenizer({"a": 0})
    with pytest.raises(FileNotFoundError):
        SentencePieceTokenizer(tmp_path / "none.model")


@once
@pytest.mark.slow
@pytest.mark.parametrize("source", [MODEL, JSON], ids=["model", "json"])
def test_damaged_copies_give_an_error_or_a_tokenizer(tmp_path, source):
    content = source.read_bytes()
    path = tmp_path / source.name
    for seed in range(500):
        path.write_bytes(damaged(content, random.Random(seed)))
        try:
            tokenizer = SentencePieceTokenizer(path)
            for text in TEXTS:
                tokenizer.encode_with_offsets(text)
        except VocabularyError:
            continue
