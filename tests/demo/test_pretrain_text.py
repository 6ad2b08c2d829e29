"""The text side of demo/pretrain.py: reading, shards, pairs; and how it goes on where it was."""

from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from keras_bert import Tokenizer, load_vocabulary

with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(Path(__file__).resolve().parents[2] / "demo")
    from pretrain_text import Pairs, check_texts, learn_vocabulary, lines, pairs_of, write_shards

SENTENCES = """\
It was the best of times, it was the worst of times.
It was the age of wisdom, it was the age of foolishness.
It was the epoch of belief, it was the epoch of incredulity.

It was the season of Light, it was the season of Darkness.
It was the spring of hope.
It was the winter of despair.
""".splitlines()  # Dickens, A Tale of Two Cities
WORDS = ["it", "was", "the", "of", ",", ".", "best", "worst", "age", "wisdom", "foolish", "##ness"]


@pytest.fixture
def settings(tmp_path):
    paths = [tmp_path / "one.txt", tmp_path / "two.txt"]
    paths[0].write_bytes(b"\xef\xbb\xbf" + "\r\n".join(SENTENCES).encode())
    paths[1].write_text("Ça va ?\n\n冬天\n", "utf-8")
    texts = [[str(path), path.stat().st_size] for path in paths]
    sizes = {"vocabulary": 120, "shard": 20, "length": 13, "short": 0.0}
    return {"texts": texts, **sizes, "cased": 0, "seed": 0}


def test_texts_are_checked_as_a_whole(settings, tmp_path):
    check_texts(settings["texts"])
    # One character lies across the border of two blocks, and the last is half of one.
    (tmp_path / "long.txt").write_bytes(b"a" * (2**20 - 1) + "语\n言".encode())
    check_texts([[str(tmp_path / "long.txt"), 0]])
    (tmp_path / "long.txt").write_bytes(b"a" * (2**20 - 1) + "语\n言".encode()[:-1])
    with pytest.raises(SystemExit, match=r"long\.txt is not UTF-8 \(line 2: "):
        check_texts([*settings["texts"], [str(tmp_path / "long.txt"), 0]])


def test_a_text_can_be_read_on_from_every_line(settings):
    everything = list(lines(settings["texts"]))
    assert [line for line, _ in everything] == [*SENTENCES, "", "Ça va ?", "", "冬天", ""]
    for number, (_, position) in enumerate(everything, 1):
        assert list(lines(settings["texts"], *position)) == everything[number:]


def test_a_text_that_has_changed_is_refused(settings):
    path, _ = settings["texts"][1]
    Path(path).write_text("longer than before", "utf-8")
    with pytest.raises(SystemExit, match=r"two\.txt has changed since"):
        list(lines(settings["texts"]))


def test_a_text_in_another_encoding_is_refused(settings):
    path, size = settings["texts"][1]
    Path(path).write_bytes(b"fine\n" + "冬天".encode("gbk").ljust(size - 5))
    with pytest.raises(
        SystemExit, match=r"two\.txt is not UTF-8 \(line 2: .*iconv -f GBK -t UTF-8"
    ):
        list(lines(settings["texts"], 1, 5))  # of the whole file, wherever reading begins


def test_the_vocabulary_holds_what_google_s_do_and_covers_the_text(settings, tmp_path):
    pytest.importorskip("tokenizers", reason="needs the extra pretrain")
    path = tmp_path / "vocab.txt"
    learn_vocabulary(path, settings)
    vocabulary = load_vocabulary(str(path))
    assert list(vocabulary)[:5] == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    assert 60 < len(vocabulary) <= 120
    tokenizer = Tokenizer(vocabulary)
    tokens = [token for line in SENTENCES for token in tokenizer.tokenize(line)]
    assert {"it", "was", "##o"} <= set(tokens)
    assert "[UNK]" not in tokens


def test_of_equally_frequent_characters_the_first_are_kept(settings, tmp_path):
    pytest.importorskip("tokenizers", reason="needs the extra pretrain")
    path = tmp_path / "vocab.txt"
    rare = "".join(map(chr, range(0x4E00, 0x4E00 + 200)))
    Path(settings["texts"][0][0]).write_text(rare[::-1], "utf-8")
    settings["texts"] = [[settings["texts"][0][0], 600]]
    learn_vocabulary(path, settings)
    kept = [token for token in load_vocabulary(str(path)) if token in rare]
    assert sorted(kept) == list(rare[:40])


def test_one_text_gives_one_vocabulary(settings, tmp_path):
    pytest.importorskip("tokenizers", reason="needs the extra pretrain")
    path = tmp_path / "vocab.txt"
    learn_vocabulary(path, settings)
    first = path.read_bytes()
    for _ in range(5):  # the trainer's hash tables have another order each time
        learn_vocabulary(path, settings)
        assert path.read_bytes() == first


def tokenizer():
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    return Tokenizer({word: index for index, word in enumerate([*special, *WORDS])})


def read(shards):
    files = [np.load(path) for path in shards]
    return [{name: file[name].tolist() for name in file.files} for file in files]


def test_shards_hold_the_tokens_of_the_text(settings, tmp_path):
    found = read(write_shards(tmp_path / "shards", settings, tokenizer()))
    assert len(found) > 3
    assert all(len(shard["ids"]) >= 20 for shard in found[:-1])
    ids, sizes = (list(chain(*(shard[key] for shard in found))) for key in ("ids", "sizes"))
    texts = [*SENTENCES, "", "Ça va ?", "", "冬天", ""]
    want = [tokenizer().encode(text)[0][1:-1] for text in texts]
    assert ids == list(chain(*want))
    assert sizes == [len(each) for each in want]


def test_shards_are_written_on_from_the_last_whole_one(settings, tmp_path):
    whole = write_shards(tmp_path / "whole", settings, tokenizer())
    for kept in range(len(whole) + 1):
        folder = tmp_path / f"broken-{kept}"
        folder.mkdir()
        for path in whole[:kept]:
            (folder / path.name).write_bytes(path.read_bytes())
        (folder / f"{kept:06d}.npz.unfinished").write_bytes(b"half a shard")
        again = write_shards(folder, settings, tokenizer())
        assert read(again) == read(whole)


@pytest.mark.parametrize(
    ("sizes", "pairs"),
    [
        ([4, 5, 0], [(0, 4, 9)]),  # two sentences that fit into no piece together
        ([2, 2, 2, 3, 0], [(0, 4, 9)]),
        ([2, 2, 2, 3, 4, 0], [(0, 4, 9), (4, 9, 13)]),
        ([12, 0], [(0, 5, 10), (5, 10, 12)]),  # longer than a piece may be
        ([3, 0], [(0, 1, 3)]),  # one piece: cut in the middle
        ([3, 0, 0, 4, 3, 0], [(0, 1, 3), (3, 7, 10)]),  # two documents
        ([3], [(0, 1, 3)]),  # a document that goes on in the next shard
        ([], []),
        ([0, 0], []),
    ],
)
def test_pairs_are_neighbouring_pieces_of_a_document(sizes, pairs):
    np.testing.assert_array_equal(pairs_of(sizes, room=5), np.reshape(pairs, (-1, 3)))


def test_every_pass_takes_every_pair_once_and_can_go_on_anywhere(settings, tmp_path):
    shards = write_shards(tmp_path / "shards", settings, tokenizer())
    tokens = list(tokenizer()._token_dict)
    per_pass = sum(len(pairs_of(shard["sizes"], 5)) for shard in read(shards))
    stream = Pairs(shards, settings, tokens)
    positions, taken = [], []
    for _ in range(3 * per_pass):
        positions.append(stream.position)
        taken += stream.take(1)
    passes = [taken[i * per_pass : (i + 1) * per_pass] for i in range(3)]
    assert passes[0] != passes[1]
    assert sorted(passes[0]) == sorted(passes[1]) == sorted(passes[2])
    for number in (0, 1, per_pass - 1, per_pass, 2 * per_pass + 1):
        stream = Pairs(shards, settings, tokens, positions[number])
        assert stream.take(len(taken) - number) == taken[number:]


def test_short_pairs_keep_as_much_on_both_sides_of_their_middle(settings, tmp_path):
    shards = write_shards(tmp_path / "shards", {**settings, "shard": 1000}, tokenizer())
    settings["length"] = 63  # pieces of up to 30 tokens
    pairs = Pairs(shards, settings, []).pairs
    short = Pairs(shards, {**settings, "short": 1.0}, []).pairs
    assert short[:, 1].tolist() == pairs[:, 1].tolist()
    sides, short_sides = abs(pairs - pairs[:, 1:2]), abs(short - pairs[:, 1:2])
    room = short_sides.max(axis=1, keepdims=True)
    np.testing.assert_array_equal(short_sides, np.minimum(sides, room))
    assert (short_sides < sides).any()
    assert len(set(room.ravel().tolist())) > 2  # not all of one length


def test_texts_without_words(settings, tmp_path):
    for path, _ in settings["texts"]:
        Path(path).write_text("\n\n")
    settings["texts"] = [[path, 2] for path, _ in settings["texts"]]
    shards = write_shards(tmp_path / "shards", settings, tokenizer())
    with pytest.raises(SystemExit, match="no words"):
        Pairs(shards, settings, []).take(1)
