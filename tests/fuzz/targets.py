"""Every reader of bytes as a function of bytes, with small files to begin from.

A reader may refuse with the errors that its docstring names, and with nothing else. Where a file
has several parts, or lies beside others, a target says how the bytes are divided.

Checksums count as right, whatever they are: a fuzzer would never get past them.
"""

import base64
import gzip
import io
import json
import tarfile
import tempfile
import types
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from safetensors.numpy import save

from keras_bert.checkpoints import (
    Checkpoint,
    CheckpointError,
    open_checkpoint,
    torch_bin,
    write_tensor_bundle,
)
from keras_bert.checkpoints.tensor_bundle import reader, table
from keras_bert.datasets.unpacking import unpack
from keras_bert.families import ConfigError
from keras_bert.families.configuration import activation_name, read_config
from keras_bert.tokenizer import piece_model
from keras_bert.tokenizer.loading import load_tokenizer
from keras_bert.tokenizer.vocabulary import VocabularyError

DATA = Path(__file__).parents[1] / "data"
NUMBERS = np.arange(6, dtype=np.float32).reshape(2, 3)
PIECES = ["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]", "\u2581", "\u2581a", "9,", "b", "(", "c"]
# What SentencePiece's trainer makes of the rules 41 -> 61 and BD -> 31 2F 32, by zlib.
CHARSMAP = (
    "eNoV0wMM30cUAOBfk6a2bazrutq2u5Vbu9W27aa2rVWrt9Wrbdu2bX3/S768u8tLXvLeXRA2sMIERaMGgW2/LUlD56Bf"
    "6Do84YhIBCITCalBFKITjZjEIDaxiEsc4hOPhCQgMYkIlUhCcpKRkhSkJhVpSUN60pGBH8jIj2TiJzLzM1nJQnaykZMc"
    "5CYXeclDfvJRkAIUphBFKUJxilGSEpSmFGUpQ3nKUZEK/EIlKvMrValCdarxGzWoye/8QS1q8yd1qUN96tGQBjSmEU1p"
    "QnOa0ZIWtKYVbWlDe9rRkQ50phNd6UJ3utGTHvSmF33pQ//QwNn5PAgGiIMYyBAGM4yhjGA4oxjJGEYzjrFMYDyTmMgU"
    "JjONqcxgOrOYyRxm8xdzmc88FrKAv1nEEhazjKWsYDn/sJL/+JfVrGIta1jPOv5nA5vYyBY2s42t7GA7u0I9YA+72cde"
    "DrCfQxzkCIc5xlFOcJxTnOQMpznHWS5wnktc5AqXucZVbnCdW9zkDre5x10ecJ9HPOQJj3nGU15gdMErXvKG17zjLR94"
    "zyc+8oXPfONr6P9kzuYNfgeg04PJ"
)


@dataclass(frozen=True)
class Target:
    """A reader: what it does with the bytes, what it may raise, and files that it reads."""

    read: Callable[[bytes, Path], object]
    documented: tuple[type[Exception], ...]
    seeds: Callable[[], list[bytes]]

    def run(self, content: bytes) -> bool:
        """Read the bytes; return whether they were taken, or raise what is not documented."""
        with tempfile.TemporaryDirectory(dir=_IN_MEMORY) as folder:
            try:
                self.read(content, Path(folder))
            except self.documented:
                return False
        return True


_IN_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None


class _AnyNumber(int):
    """A checksum that is equal to every other."""

    __hash__ = int.__hash__

    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False


def ignore_checksums(replace: Callable[[object, str, object], None] = setattr) -> None:
    """Let every checksum be right; `replace` works as `setattr` does."""
    lax = types.SimpleNamespace(**vars(zlib))
    lax.crc32 = lambda *_: _AnyNumber()
    for module in (table, reader):
        replace(module, "masked_crc32c", lax.crc32)
    replace(torch_bin, "zlib", lax)
    replace(gzip, "zlib", lax)
    replace(zipfile, "crc32", lax.crc32)
    replace(tarfile, "calc_chksums", lambda _: (_AnyNumber(),) * 2)


def _packed(*parts: bytes) -> bytes:
    """Join a file's parts, before each but the last its length."""
    *others, last = parts
    return b"".join(len(part).to_bytes(2, "big") + part for part in others) + last


def _unpacked(content: bytes, count: int) -> list[bytes]:
    parts = []
    for _ in range(count - 1):
        size = int.from_bytes(content[:2], "big")
        parts.append(content[2 : 2 + size])
        content = content[2 + size :]
    return [*parts, content]


def _read_all(checkpoint: Checkpoint) -> None:
    for name in checkpoint:
        try:
            array = checkpoint[name]
        except CheckpointError:
            continue
        assert array.shape == checkpoint.shape(name)
        assert array.dtype == checkpoint.dtype(name)
        array.tobytes()
        checkpoint.are_equal(name, next(iter(checkpoint)))


def _checkpoint(file_name: str) -> Callable[[bytes, Path], None]:
    def read(content: bytes, folder: Path) -> None:
        (folder / file_name).write_bytes(content)
        _read_all(open_checkpoint(folder / file_name))

    return read


def _bundle(content: bytes, folder: Path) -> None:
    index, data = _unpacked(content, 2)
    (folder / "model.index").write_bytes(index)
    (folder / "model.data-00000-of-00001").write_bytes(data)
    with open_checkpoint(folder / "model") as checkpoint:
        _read_all(checkpoint)
        with suppress(ConfigError):
            read_config(None, checkpoint)


def _entries(content: bytes, folder: Path) -> None:
    """The same, of which the table is as it should be and what it holds is not."""
    packed, data = _unpacked(content, 2)
    parts = []
    while packed:
        part, packed = _unpacked(packed, 2)
        parts.append(part)
    entries = dict(zip(parts[::2], parts[1::2], strict=False))
    _bundle(_packed(table.write_table(sorted(entries.items())), data), folder)


def _split(content: bytes, folder: Path) -> None:
    (folder / "a.safetensors").write_bytes(save({"a": NUMBERS, "c": NUMBERS}))
    (folder / "b.safetensors").write_bytes(save({"b": NUMBERS}))
    _checkpoint("model.safetensors.index.json")(content, folder)


def _archive(content: bytes, folder: Path) -> None:
    (folder / "archive").write_bytes(content)
    try:
        unpack(folder / "archive", folder / "unpacked")
    finally:
        assert {path.name for path in folder.iterdir()} <= {"archive", "unpacked"}


def _tar(content: bytes, folder: Path) -> None:
    _archive(gzip.compress(content, 1), folder)


def _tokenizer(file_name: str) -> Callable[[bytes, Path], None]:
    def read(content: bytes, folder: Path) -> None:
        (folder / file_name).write_bytes(content)
        load_tokenizer(folder / file_name).tokenize("A b\u00e9 (\u00bd, 99,)")

    return read


def _tokenizer_config(content: bytes, folder: Path) -> None:
    (folder / "tokenizer_config.json").write_bytes(content)
    _tokenizer("vocab.txt")("\n".join(["[UNK]", "[CLS]", "[SEP]", "a"]).encode(), folder)


def _config(content: bytes, folder: Path) -> None:
    (folder / "config.json").write_bytes(content)
    activation_name(read_config(folder / "config.json"))


def _bundle_seeds() -> list[bytes]:
    seeds = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model")
        query = "bert/encoder/layer_0/attention/self/query/kernel"
        write_tensor_bundle(path, {"a": NUMBERS, "empty": NUMBERS[:0], query: NUMBERS[None]})
        seeds.append(_of_bundle(path))
    seeds += [_of_bundle(DATA / "checkpoints" / name) for name in ("model.ckpt-7", "object_based")]
    return seeds


def _of_bundle(path: Path) -> bytes:
    return _packed(
        *(item.read_bytes() for item in sorted(path.parent.glob(f"{path.name}.*"))[::-1])
    )


def _entry_seeds() -> list[bytes]:
    seeds = []
    for content in _bundle_seeds():
        index, data = _unpacked(content, 2)
        parts = [part for entry in table.read_table(index) for part in entry]
        seeds.append(_packed(_packed(*parts, b""), data))
    return seeds


def _safetensors_seeds() -> list[bytes]:
    tensors = {"a": NUMBERS, "b.c": NUMBERS.astype(np.float16), "empty": np.zeros((0, 2), np.int64)}
    return [save(tensors), save({"bert/x/kernel:0": NUMBERS, "bert/y/gamma:0": NUMBERS[0]})]


def _hdf5_seeds() -> list[bytes]:
    seeds = []
    for options in ({}, {"libver": "latest"}):
        stream = io.BytesIO()
        with h5py.File(stream, "w", **options) as file:
            for name in ("b/tf_b/c/kernel:0", "b/tf_b/d/gamma:0", "m/tf_b/d/gamma:0"):
                file[name] = NUMBERS
        seeds.append(stream.getvalue())
    return seeds


def _zip_seeds() -> list[bytes]:
    seeds = []
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", method) as archive:
            archive.mkdir("a")
            archive.writestr("a/vocab.txt", "[PAD]\n" * 9)
            archive.writestr("config.json", "{}")
        seeds.append(stream.getvalue())
    return seeds


def _tar_seeds() -> list[bytes]:
    seeds = []
    for format in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w", format=format) as archive:
            for name in ("vocab.txt", "long/" * 30 + "\u4e2d.txt"):
                if format == tarfile.USTAR_FORMAT and len(name) > 100:
                    continue
                entry = tarfile.TarInfo(name)
                entry.size = 5
                archive.addfile(entry, io.BytesIO(b"[PAD]"))
        seeds.append(stream.getvalue().rstrip(b"\0") + bytes(1024))
    return seeds


def _charsmap() -> str:
    return base64.b64encode(zlib.decompress(base64.b64decode(CHARSMAP))).decode()


def _unigram(**members: object) -> dict:
    charsmap = {"type": "Precompiled", "precompiled_charsmap": _charsmap()}
    steps = [*piece_model.QUOTES, *piece_model.NO_ACCENTS, *piece_model.LOWER_CASE, charsmap]
    space = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always"}
    return {
        "added_tokens": [{"id": 0, "content": "<pad>", "special": True}],
        "normalizer": {"type": "Sequence", "normalizers": [*steps, *piece_model.BLANKS]},
        "pre_tokenizer": space,
        "model": {
            "type": "Unigram",
            "unk_id": 1,
            "vocab": [[piece, -float(index)] for index, piece in enumerate(PIECES)],
        },
    } | members


def _unigram_seeds() -> list[bytes]:
    return [json.dumps(_unigram()).encode()]


def _sentencepiece_seeds() -> list[bytes]:
    return [piece_model._from_tokenizer_json(_unigram(), "tokenizer.json")[0]]


def _word_piece_seeds() -> list[bytes]:
    vocabulary = {token: index for index, token in enumerate(["[UNK]", "[CLS]", "[SEP]", "##a"])}
    added = [{"id": 4, "content": "[NEW]"}]
    model = {"type": "WordPiece", "continuing_subword_prefix": "##", "vocab": vocabulary}
    return [json.dumps({"added_tokens": added, "model": model}).encode()]


def _config_seeds() -> list[bytes]:
    paths = [*DATA.glob("relatives/*/config.json"), *DATA.glob("model_garden/*/bert_config.json")]
    return [path.read_bytes() for path in sorted(paths)]


def _files(*names: str) -> Callable[[], list[bytes]]:
    return lambda: [(DATA / "checkpoints" / name).read_bytes() for name in names]


def _text(*texts: str) -> Callable[[], list[bytes]]:
    return lambda: [text.encode() for text in texts]


_OF_CHECKPOINTS = (CheckpointError, OSError)
_OF_VOCABULARIES = (VocabularyError, OSError)

TARGETS = {
    "tensor_bundle": Target(_bundle, _OF_CHECKPOINTS, _bundle_seeds),
    "tensor_bundle_entries": Target(_entries, _OF_CHECKPOINTS, _entry_seeds),
    "safetensors": Target(_checkpoint("model.safetensors"), _OF_CHECKPOINTS, _safetensors_seeds),
    "torch_zip": Target(_checkpoint("zip.bin"), _OF_CHECKPOINTS, _files("zip.bin", "nested.pt")),
    "torch_legacy": Target(_checkpoint("legacy.bin"), _OF_CHECKPOINTS, _files("legacy.bin")),
    "hdf5": Target(_checkpoint("tf_model.h5"), _OF_CHECKPOINTS, _hdf5_seeds),
    "split": Target(
        _split,
        _OF_CHECKPOINTS,
        _text('{"weight_map": {"a": "a.safetensors", "b": "b.safetensors"}}'),
    ),
    "zip": Target(_archive, (OSError,), _zip_seeds),
    "tar": Target(_tar, (OSError,), _tar_seeds),
    "gzip": Target(_archive, (OSError,), lambda: [*map(gzip.compress, _tar_seeds())]),
    "sentencepiece": Target(_tokenizer("spiece.model"), _OF_VOCABULARIES, _sentencepiece_seeds),
    "unigram": Target(_tokenizer("tokenizer.json"), _OF_VOCABULARIES, _unigram_seeds),
    "word_piece": Target(_tokenizer("tokenizer.json"), _OF_VOCABULARIES, _word_piece_seeds),
    "vocabulary": Target(
        _tokenizer("vocab.txt"), _OF_VOCABULARIES, _text("[UNK]\n[CLS]\r\n[SEP]\na\n##\u00e9\n\n")
    ),
    "tokenizer_config": Target(
        _tokenizer_config, _OF_VOCABULARIES, _text('{"do_lower_case": false, "keep_accents": true}')
    ),
    "config": Target(_config, (ConfigError, OSError), _config_seeds),
}
