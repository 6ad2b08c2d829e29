"""SentencePiece's format, read and written as by its own library."""

import pytest
from runtimes import once
from tokenizer_texts import PIECES

from keras_bert import VocabularyError
from keras_bert.tokenizer.piece_bytes import Kind, model_bytes, read_pieces

pytestmark = once

ENTRIES = [
    *[("<unk>", 0.0, Kind.UNKNOWN), ("[CLS]", 0.0, Kind.CONTROL), ("(", 0.0, Kind.USER_DEFINED)],
    *[("▁thé", -1.5, Kind.NORMAL), ("e", -3.25, Kind.NORMAL)],
]


@pytest.fixture
def processor():
    return pytest.importorskip("sentencepiece").SentencePieceProcessor()


def test_the_library_reads_what_is_written(processor):
    processor.LoadFromSerializedProto(model_bytes(ENTRIES, b""))
    assert [processor.id_to_piece(index) for index in range(5)] == [name for name, *_ in ENTRIES]
    assert [processor.get_score(index) for index in range(5)] == [score for _, score, _ in ENTRIES]
    tests = [processor.is_unknown(0), processor.is_control(1), processor.is_control(3)]
    assert tests == [True, True, False]
    assert processor.encode("thé(e", out_type=str) == ["▁thé", "(", "e"]


@pytest.mark.parametrize("charsmap", [b"", bytes(range(256))])
def test_what_is_written_is_read_here(tmp_path, charsmap):
    (tmp_path / "spiece.model").write_bytes(model_bytes(ENTRIES, charsmap))
    pieces = [(name, score) for name, score, _ in ENTRIES]
    assert read_pieces(tmp_path / "spiece.model") == (pieces, charsmap)


def test_what_the_library_wrote_is_read_here(processor):
    path = PIECES / "spiece.model"
    processor.Load(str(path))
    count = processor.get_piece_size()
    found, _ = read_pieces(path)
    assert found == [(processor.id_to_piece(i), processor.get_score(i)) for i in range(count)]


@pytest.mark.parametrize(
    "content", [b"", b"\x0a", b"[PAD]\n", b"\x0a\x02\x0a\x00", b"\x0a\x01\xff"]
)
def test_damaged_models(tmp_path, content):
    (tmp_path / "spiece.model").write_bytes(content)
    with pytest.raises(VocabularyError, match=r"spiece\.model is damaged"):
        read_pieces(tmp_path / "spiece.model")
