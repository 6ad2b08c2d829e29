"""Damaged copies of each format, 200 every day and 2,000 in all: an error, or the right arrays.

TensorFlow's and PyTorch's zip files carry checksums over (almost) everything. Safetensors, HDF5 and
PyTorch's files from before 1.6 carry none, so that a flipped bit in a number or a name cannot be
seen; there it must stay the only harm.
"""

import json
import random
import re
import shutil
import zipfile

import h5py
import pytest
from checkpoint_files import BUNDLE, DATA, STATE, is_same
from runtimes import once
from safetensors.numpy import save_file

from keras_bert.checkpoints import CheckpointError, open_checkpoint, write_tensor_bundle
from keras_bert.checkpoints.tensor_bundle.table import read_table, write_table

pytestmark = once

COPIES = 200

every_seed = pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 10))]
)

NUMPY_STATE = {
    name: array.copy(order="C")
    for name, array in STATE.items()
    if name not in ("brain", "scalar")  # What save_file of the oldest supported library takes.
}


def flip_bit(content, generator):
    content[generator.randrange(len(content))] ^= 1 << generator.randrange(8)


def flip_bits(content, generator):
    for _ in range(generator.randrange(2, 20)):
        flip_bit(content, generator)


def overwrite(content, generator):
    start = generator.randrange(len(content))
    size = generator.randrange(1, 64)
    filler = generator.choice([bytes(size), b"\xff" * size, generator.randbytes(size)])
    content[start : start + size] = filler[: len(content) - start]


def swap_blocks(content, generator):
    size = generator.randrange(1, len(content) // 2)
    first = generator.randrange(len(content) - 2 * size + 1)
    second = generator.randrange(first + size, len(content) - size + 1)
    one, other = content[first : first + size], content[second : second + size]
    content[first : first + size], content[second : second + size] = other, one


def cut(content, generator):
    del content[generator.randrange(len(content)) :]


def cut_out(content, generator):
    start = generator.randrange(len(content))
    del content[start : start + generator.randrange(1, 64)]


def insert(content, generator):
    start = generator.randrange(len(content) + 1)
    content[start:start] = generator.randbytes(generator.randrange(1, 64))


def empty(content, generator):
    content.clear()


KEEP_LENGTH = [flip_bit, flip_bits, overwrite, swap_blocks]
CHANGE_LENGTH = [cut, cut_out, insert, empty]
WEIGHTS = dict.fromkeys(KEEP_LENGTH + CHANGE_LENGTH, 20) | {flip_bit: 40, empty: 1}


def damaged_copies(folder, originals, seed, kinds):
    """Put damaged copies into the folder, and yield each's original and damaged content."""
    generator = random.Random(seed)
    sources = {path: path.read_bytes() for path in originals}
    for path, content in sources.items():
        (folder / path.name).write_bytes(content)
    for _ in range(COPIES):
        path = generator.choice(originals)
        content = bytearray(sources[path])
        generator.choices(kinds, [WEIGHTS[kind] for kind in kinds])[0](content, generator)
        (folder / path.name).write_bytes(content)
        yield sources[path], content
        (folder / path.name).write_bytes(sources[path])


def read_everything(path):
    """Return all arrays, or None if the checkpoint is refused as it should be."""
    try:
        with open_checkpoint(path) as checkpoint:
            return {name: checkpoint[name] for name in checkpoint}
    except (CheckpointError, OSError):
        return None


def is_exactly(arrays, expected):
    return arrays.keys() == expected.keys() and all(
        is_same(arrays[name], expected[name]) for name in expected
    )


def check_all(folder, originals, path, expected, seed):
    """Check a format in which all damage can be seen."""
    refused = 0
    for _, content in damaged_copies(folder, originals, seed, KEEP_LENGTH + CHANGE_LENGTH):
        arrays = read_everything(path)
        refused += arrays is None
        assert arrays is None or is_exactly(arrays, expected), bytes(content)
    # The rest hits what is not needed: padding, dates, entries that nothing asks for.
    assert refused > COPIES * 0.6
    assert is_exactly(read_everything(path), expected)


@every_seed
def test_tensorflow(tmp_path, seed):
    (tmp_path / "whole").mkdir()
    write_tensor_bundle(tmp_path / "whole" / "model.ckpt", BUNDLE, num_shards=2)
    originals = sorted((tmp_path / "whole").iterdir())
    assert len(originals) == 3
    check_all(tmp_path, originals, tmp_path / "model.ckpt", BUNDLE, seed)


@every_seed
def test_pytorch_zip(tmp_path, seed):
    check_all(tmp_path, [DATA / "zip.bin"], tmp_path / "zip.bin", STATE, seed)


@every_seed
@pytest.mark.parametrize("name", ["albert/bert_model.ckpt-1", "saved_model/variables/variables"])
def test_object_based(tmp_path, name, seed):
    prefix = DATA.parent / "model_garden" / name
    originals = sorted(prefix.parent.glob(f"{prefix.name}.*"))
    assert len(originals) == 2
    expected = read_everything(prefix)
    check_all(tmp_path, originals, tmp_path / prefix.name, expected, seed)


@pytest.mark.slow
@every_seed
def test_hdf5_sees_damage_but_in_the_numbers(tmp_path, seed):
    original = DATA.parent / "transformers_tf" / "bert" / "tf_model.h5"
    expected = read_everything(original)
    with h5py.File(original) as file:
        tensors = []
        file.visititems(lambda _, item: tensors.append(item) if hasattr(item, "shape") else None)
        spans = [(each.id.get_offset(), each.nbytes) for each in tensors]
    numbers = {at for start, size in spans for at in range(start, start + size)}
    right = wrong = 0
    for source, content in damaged_copies(tmp_path, [original], seed, KEEP_LENGTH + CHANGE_LENGTH):
        arrays = read_everything(tmp_path / original.name)
        if arrays is None:
            continue
        changed = [
            at for at, pair in enumerate(zip(source, content, strict=True)) if len(set(pair)) > 1
        ]
        if numbers.isdisjoint(changed):
            # A name has no checksum: its tensor is missing then. Of addresses, those that hit
            # the file's directory between two headers cannot be told, one in thousands.
            same = arrays.keys() & expected.keys()
            assert len(same) >= len(expected) - 2, bytes(content)
            wrong += any(not is_same(arrays[name], expected[name]) for name in same)
            right += 1
    assert (right > 10, wrong <= 1) == (True, True)


# Forged copies: wrong within, but with right checksums, so that it is up to the parsers.


@every_seed
def test_forged_tensorflow_entries(tmp_path, seed):
    shutil.copy(DATA / "model.ckpt-7.data-00000-of-00001", tmp_path)
    entries = read_table((DATA / "model.ckpt-7.index").read_bytes())
    generator = random.Random(seed)
    read = 0
    for _ in range(COPIES):
        forged = dict(entries)
        key = generator.choice(list(forged))
        value = bytearray(forged.pop(key) or b"\0")
        generator.choice([flip_bit, flip_bits, cut_out, insert])(value, generator)
        forged[key] = bytes(value)
        index = write_table(sorted(forged.items()), generator.choice([1, 100, 4096]))
        (tmp_path / "model.ckpt-7.index").write_bytes(index)
        read += _read_each(tmp_path / "model.ckpt-7")
    assert read > 100


@every_seed
def test_forged_pickles(tmp_path, seed):
    with zipfile.ZipFile(DATA / "zip.bin") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    generator = random.Random(seed)
    read = 0
    for _ in range(COPIES):
        content = bytearray(members["zip/data.pkl"])
        kinds = [flip_bit, flip_bits, overwrite, swap_blocks, cut, cut_out, insert]
        generator.choice(kinds)(content, generator)
        with zipfile.ZipFile(tmp_path / "zip.bin", "w") as archive:
            for name, original in members.items():
                archive.writestr(name, content if name == "zip/data.pkl" else original)
        read += _read_each(tmp_path / "zip.bin")
    assert read > 20


def _read_each(path):
    """Read what can be read and return the number of tensors."""
    read = 0
    try:
        checkpoint = open_checkpoint(path)
    except (CheckpointError, OSError):
        return 0
    for name in checkpoint:
        try:
            read += checkpoint[name].shape == checkpoint.shape(name)
        except (CheckpointError, OSError):
            continue
    return read


@every_seed
def test_index_of_a_split_checkpoint(tmp_path, seed):
    save_file({"a": STATE["kernel"]}, tmp_path / "model-00001-of-00002.safetensors")
    save_file({"b": STATE["parameter"]}, tmp_path / "model-00002-of-00002.safetensors")
    (tmp_path / "whole").mkdir()
    original = tmp_path / "whole" / "model.safetensors.index.json"
    files = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    original.write_text(json.dumps({"weight_map": files}))
    expected = {"a": STATE["kernel"], "b": STATE["parameter"]}
    check_all(tmp_path, [original], tmp_path / original.name, expected, seed)


@pytest.mark.parametrize(
    ("name", "kinds"),
    # What is missing from a pickle's middle may leave a pickle that says less.
    [("legacy.bin", [cut, empty]), ("model.safetensors", CHANGE_LENGTH)],
)
@every_seed
def test_formats_without_checksums_see_a_wrong_length(tmp_path, name, kinds, seed):
    original = _without_checksums(tmp_path, name)
    for source, content in damaged_copies(tmp_path, [original], seed, kinds):
        if len(content) != len(source):
            assert read_everything(tmp_path / name) is None, bytes(content)


@pytest.mark.parametrize("name", ["legacy.bin", "model.safetensors"])
@every_seed
def test_formats_without_checksums_lose_no_more_than_what_is_hit(tmp_path, name, seed):
    original = _without_checksums(tmp_path, name)
    expected = STATE if name == "legacy.bin" else NUMPY_STATE
    ranges = _byte_ranges(original.read_bytes(), expected)
    start = min(first for found in ranges.values() for first, _ in found)
    compared = 0
    for source, content in damaged_copies(tmp_path, [original], seed, KEEP_LENGTH):
        arrays = read_everything(tmp_path / name)
        pairs = zip(source, content, strict=True)
        changed = [at for at, (old, new) in enumerate(pairs) if old != new]
        if arrays is None or min(changed, default=0) < start:
            continue  # Names, shapes and types have no checksum either.
        for tensor, found in ranges.items():
            if not any(first <= at < last for at in changed for first, last in found):
                assert is_same(arrays[tensor], expected[tensor]), tensor
                compared += 1
    assert compared > 30


@every_seed
def test_flips_in_an_old_pickle_change_no_more_than_names(tmp_path, seed):
    original = _without_checksums(tmp_path, "legacy.bin")
    # Tensors that are all of their storage, as in any state dict but for deliberate views.
    names = ["parameter", "half", "brain", "scalar", "position_ids"]
    compared = 0
    for source, content in damaged_copies(tmp_path, [original], seed, [flip_bit]):
        arrays = read_everything(tmp_path / "legacy.bin")
        in_pickle = source[-350:] == content[-350:]  # More than the storages take up.
        if arrays is not None and in_pickle:
            found = [name for name in names if name in arrays]
            assert all(is_same(arrays[name], STATE[name]) for name in found), bytes(content)
            compared += len(found)
    assert compared > 30


def _without_checksums(folder, kind):
    (folder / "whole").mkdir()
    if kind == "legacy.bin":
        shutil.copy(DATA / kind, folder / "whole")
    else:
        save_file(NUMPY_STATE, folder / "whole" / kind)
    return folder / "whole" / kind


def _byte_ranges(content, expected):
    """Find where each tensor's bytes are; views of a storage lie where the whole does."""
    ranges = {}
    for name, array in expected.items():
        whole = expected[name.split(".")[0]]
        data = array.tobytes() if array.tobytes() in content else whole.tobytes()
        found = [match.start() for match in re.finditer(re.escape(data), content)]
        if data:
            ranges[name] = [(first, first + len(data)) for first in found]
    return ranges
