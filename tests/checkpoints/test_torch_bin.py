"""PyTorch's formats: files that PyTorch wrote, and pickles that mean harm."""

import io
import os
import pickle
import shutil
import struct
import tracemalloc
import zipfile
from collections import OrderedDict

import ml_dtypes
import numpy as np
import pytest
from checkpoint_files import DATA, STATE, assert_holds, is_same, numbers

from keras_bert.checkpoints import CheckpointError, open_checkpoint
from keras_bert.checkpoints.torch_pickle import Unpickler


@pytest.mark.parametrize("name", ["zip.bin", "legacy.bin"])
def test_files_that_pytorch_wrote(name):
    checkpoint = open_checkpoint(DATA / name)
    assert checkpoint.format == "torch"
    assert_holds(checkpoint, STATE)


def test_tensors_in_inner_dictionaries_have_dotted_names():
    expected = {f"model.{name}": array for name, array in STATE.items()}
    assert_holds(open_checkpoint(DATA / "nested.pt"), expected)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"_use_new_zipfile_serialization": False},
        {"pickle_protocol": 3},
        {"pickle_protocol": 4},
        {"pickle_protocol": 5},
    ],
)
def test_pytorch_agrees(tmp_path, options):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle here")
    generator = torch.Generator().manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.LayerNorm(4)).bfloat16()
    base = torch.rand(6, 4, generator=generator)
    tensors = {
        **module.state_dict(),
        **{str(kind): base.mul(100).to(kind) for kind in [torch.int8, torch.int16, torch.int32]},
        "uint8": base.mul(100).byte(),
        "bool": base > 0.5,
        "permuted": base.reshape(2, 3, 4).permute(2, 0, 1),
        "column": base[:, 1:2],
        "same": base,
        "of one row": base[:1].T,
    }
    torch.save(tensors, tmp_path / "model.pt", **options)
    checkpoint = open_checkpoint(tmp_path / "model.pt")
    assert set(checkpoint) == set(tensors)
    for name, tensor in tensors.items():
        array = checkpoint[name]
        assert str(tensor.dtype) == f"torch.{array.dtype}"
        np.testing.assert_array_equal(array.astype(np.float64), tensor.double().numpy())


def test_bfloat16_is_that_of_ml_dtypes():
    assert open_checkpoint(DATA / "zip.bin").dtype("brain") == ml_dtypes.bfloat16


@pytest.mark.parametrize("name", ["zip.bin", "legacy.bin"])
def test_equality_is_that_of_elements_not_of_places(tmp_path, name):
    torch = pytest.importorskip("torch", reason="only PyTorch writes such files")
    a = torch.arange(6.0).reshape(2, 3)
    tensors = {"a": a, "same": a, "copy": a.clone(), "turned": a.T.contiguous().T, "other": a + 1}
    torch.save(tensors, tmp_path / name, _use_new_zipfile_serialization=name == "zip.bin")
    checkpoint = open_checkpoint(tmp_path / name)
    equal = {other: checkpoint.are_equal("a", other) for other in tensors}
    assert equal == {"a": True, "same": True, "copy": True, "turned": True, "other": False}


# The zip format by hand, so that each part of it can be wrong.


def repack(path, change=None, compression=zipfile.ZIP_STORED):
    """Copy zip.bin with other contents of its members."""
    with (
        zipfile.ZipFile(DATA / "zip.bin") as source,
        zipfile.ZipFile(path, "w", compression) as target,
    ):
        for name in source.namelist():
            content = source.read(name)
            content = change(name, content) if change else content
            if content is not None:
                target.writestr(name, content)
    return path


def test_a_repacked_archive_is_read(tmp_path):
    assert_holds(open_checkpoint(repack(tmp_path / "model.bin")), STATE)


def test_big_endian_files(tmp_path):
    def swap(name, content):
        if name.endswith("byteorder"):
            return b"big"
        sizes = {96: 4, 12: 4, 10: 2, 8: 8, 56: 8}
        if "/data/" in name and content:
            return np.frombuffer(content, f"u{sizes[len(content)]}").byteswap().tobytes()
        return content

    assert_holds(open_checkpoint(repack(tmp_path / "model.bin", swap)), STATE)


def test_files_without_the_byte_order_are_little_endian(tmp_path):
    def drop(name, content):
        return None if name.endswith("byteorder") else content

    assert_holds(open_checkpoint(repack(tmp_path / "model.bin", drop)), STATE)


def test_an_unknown_byte_order_is_an_error(tmp_path):
    path = repack(tmp_path / "m.bin", lambda name, c: b"pdp" if "byteorder" in name else c)
    with pytest.raises(CheckpointError, match="byte order is said to be 'pdp'"):
        open_checkpoint(path)


def test_compressed_archives_are_refused(tmp_path):
    path = repack(tmp_path / "model.bin", compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(CheckpointError, match=r"is compressed, .*zip -0"):
        open_checkpoint(path)


def test_other_archives_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "model.bin", "w") as archive:
        archive.writestr("model/bert_config.json", "{}")
    with pytest.raises(CheckpointError, match="Unpack a model that came as an archive"):
        open_checkpoint(tmp_path / "model.bin")


def test_a_storage_of_another_size_is_an_error(tmp_path):
    path = repack(tmp_path / "m.bin", lambda name, c: c[:-4] if name == "zip/data/0" else c)
    with pytest.raises(CheckpointError, match="storage 0 is missing or has the wrong size"):
        open_checkpoint(path)


def test_a_damaged_storage_is_named_and_the_others_stay_readable(tmp_path):
    content = bytearray((DATA / "zip.bin").read_bytes())
    content[content.rindex(numbers(3).tobytes())] ^= 1
    (tmp_path / "model.bin").write_bytes(content)
    checkpoint = open_checkpoint(tmp_path / "model.bin")
    assert is_same(checkpoint["kernel"], numbers(4, 6))
    with pytest.raises(CheckpointError, match=r"'parameter': .*checksum"):
        checkpoint["parameter"]


def test_archives_without_checksums_are_read(tmp_path):
    torch = pytest.importorskip("torch", reason="only PyTorch writes such files")
    options = torch.serialization
    if not hasattr(options, "set_crc32_options"):
        pytest.skip("this PyTorch always writes checksums")
    options.set_crc32_options(False)
    try:
        torch.save({"a": torch.arange(3)}, tmp_path / "model.bin")
    finally:
        options.set_crc32_options(True)
    assert_holds(open_checkpoint(tmp_path / "model.bin"), {"a": np.arange(3)})


# Pickles that do harm when unpickled. Each is put into both formats.


class Harm:
    """Pickles as a call."""

    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call


def save_pickle(path, content, legacy):
    """Put a pickle where a file's description of its tensors belongs."""
    if not legacy:
        return repack(path, lambda name, old: content if name.endswith("data.pkl") else old)
    head = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps({}, 2)
    path.write_bytes(head + content + pickle.dumps([], 2))
    return path


@pytest.fixture(params=[False, True], ids=["zip", "legacy"])
def legacy(request):
    return request.param


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize(
    ("call", "name"),
    [
        ((os.system, ("touch harm-was-done",)), f"{os.name}.system"),
        ((eval, ("open('harm-was-done', 'w')",)), "builtins.eval"),
        ((getattr, (OrderedDict, "fromkeys")), "builtins.getattr"),
        ((shutil.rmtree, ("/nowhere",)), "shutil.rmtree"),
        ((__import__, ("antigravity",)), "builtins.__import__"),
    ],
)
def test_harmful_calls_are_refused_and_not_run(tmp_path, monkeypatch, legacy, protocol, call, name):
    monkeypatch.chdir(tmp_path)
    # Protocol 2 writes the names of Python 2.
    names = {name, name.replace("builtins", "__builtin__")}
    path = save_pickle(tmp_path / "m.bin", pickle.dumps({"a": Harm(*call)}, protocol), legacy)
    with pytest.raises(CheckpointError, match=r"nothing in the file has been run") as error:
        open_checkpoint(path)
    assert any(f"asks for '{name}'" in str(error.value) for name in names)
    assert os.listdir(tmp_path) == ["m.bin"]


def test_whole_models_are_refused_with_a_way_out(tmp_path, legacy):
    content = b"\x80\x02ctorch.nn.modules.linear\nLinear\n)\x81."
    path = save_pickle(tmp_path / "m.bin", content, legacy)
    with pytest.raises(CheckpointError, match=r"torch\.save\(model\.state_dict\(\), path\)"):
        open_checkpoint(path)


def pickled_tensor(offset, shape, strides, key="0", count=24, kind=b"FloatStorage", rest=b""):
    """Pickle {'a': tensor} by hand, as PyTorch does."""

    def number(value):
        content = value.to_bytes(12, "little", signed=True)
        return b"\x8a" + bytes([len(content)]) + content

    def text(value):
        return b"X" + struct.pack("<I", len(value)) + value.encode()

    def numbers(values):
        return b"(" + b"".join(map(number, values)) + b"t"

    storage = b"(" + text("storage") + b"ctorch\n" + kind + b"\n" + text(key) + text("cpu")
    storage += number(count) + rest + b"tQ"
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + number(offset)
    tensor += numbers(shape) + numbers(strides) + b"\x89ccollections\nOrderedDict\n)RtR"
    return b"\x80\x02}" + text("a") + tensor + b"s."


def test_the_hand_made_pickle_is_right(tmp_path):
    path = save_pickle(tmp_path / "m.bin", pickled_tensor(0, (4, 6), (6, 1)), legacy=False)
    assert_holds(open_checkpoint(path), {"a": numbers(4, 6)})


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param((1, (4, 6), (6, 1)), id="offset"),
        pytest.param((-1, (4, 6), (6, 1)), id="negative offset"),
        pytest.param((0, (4, 6), (7, 1)), id="strides too wide"),
        pytest.param((0, (4, 6), (-6, 1)), id="negative stride"),
        pytest.param((0, (4, 6), (6,)), id="too few strides"),
        pytest.param((0, (5, 6), (6, 1)), id="shape"),
        pytest.param((0, (-4, -6), (6, 1)), id="negative shape"),
        pytest.param((0, (2**30, 2**30), (0, 0)), id="a billion times a billion elements"),
        pytest.param((0, (2**62, 0), (0, 1)), id="empty with a huge axis"),
        pytest.param((0, (1,) * 100, (1,) * 100), id="a hundred axes"),
        pytest.param((0, (4, 6), (6, 1), "1"), id="another storage"),
        pytest.param((0, (4, 6), (6, 1), "../data.pkl"), id="a path for a storage"),
        pytest.param((0, (4, 6), (6, 1), "0", 25), id="a storage that is too long"),
        pytest.param((0, (4, 6), (6, 1), "0", -24), id="a storage of negative length"),
        pytest.param((0, (4, 6), (6, 1), "0", 2**60), id="a storage of an exabyte"),
        pytest.param((0, (4, 6), (6, 1), "0", 24, b"DoubleStorage"), id="another type"),
        pytest.param((0, (4, 6), (6, 1), "0", 24, b"QInt8Storage"), id="unknown type"),
        pytest.param((0, (4, 6), (6, 1), "0", 24, b"FloatStorage", b"K\x01"), id="storage view"),
    ],
)
def test_tensors_outside_their_storage_are_errors(tmp_path, arguments):
    path = save_pickle(tmp_path / "m.bin", pickled_tensor(*arguments), legacy=False)
    with pytest.raises(CheckpointError, match=r"m\.bin"):
        open_checkpoint(path)


def test_a_part_of_a_tensor_needs_a_checksum(tmp_path):
    torch = pytest.importorskip("torch", reason="only PyTorch writes such files")
    part = torch.arange(6).reshape(2, 3)[:, :2]
    torch.save({"a": part}, tmp_path / "new.bin")
    assert_holds(open_checkpoint(tmp_path / "new.bin"), {"a": part.numpy()})
    torch.save({"a": part}, tmp_path / "old.bin", _use_new_zipfile_serialization=False)
    with pytest.raises(CheckpointError, match="save a clone of that tensor"):
        open_checkpoint(tmp_path / "old.bin")


BOMBS = {
    "memo of four billion": b"\x80\x02}r\xff\xff\xff\xff.",
    "text of four gigabytes": b"\x80\x02X\xff\xff\xff\xffabc.",
    "text of an exabyte": b"\x80\x04\x8d" + b"\xff" * 8 + b"abc.",
    "buffer of an exabyte": b"\x80\x05\x96" + b"\xff" * 8 + b"abc.",
    "frame of an exabyte": b"\x80\x04\x95" + b"\xff" * 8,
    "endless marks": b"\x80\x02" + b"(" * 1_000_000 + b".",
    "endless nesting": b"\x80\x02}q\x00" + b"X\x01\x00\x00\x00a}q\x00s" * 10_000 + b".",
    "tuple of tuples as a key": b"\x80\x02})" + b"q\x01h\x01\x86" * 60 + b"Ks.",
    "dictionary in itself": b"\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s.",
    "no end": b"\x80\x02}",
    "nothing": b"",
    "empty stack": b"\x80\x02.",
    "no mark": b"\x80\x02}u.",
    "no dictionary": b"\x80\x02].",
    "call of a dictionary": b"\x80\x02})R.",
    "call of a storage type": b"\x80\x02ctorch\nFloatStorage\n)R.",
    "call with too little": b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n)R.",
    "name without an end": b"\x80\x02ctorch",
}


@pytest.mark.parametrize("content", BOMBS.values(), ids=BOMBS.keys())
def test_bombs_are_errors_and_take_no_memory(tmp_path, legacy, content):
    path = save_pickle(tmp_path / "m.bin", content, legacy)
    tracemalloc.start()
    try:
        try:
            checkpoint = open_checkpoint(path)
        except CheckpointError:
            pass
        else:
            assert len(checkpoint) == 0
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 50e6


def test_strings_of_python_2_and_old_functions():
    content = b"\x80\x02ccollections\nOrderedDict\n]](U\x01aK\x05ea\x85R."
    assert Unpickler(memoryview(content)).run() == {"a": 5}


def test_ordinary_values_mean_what_pickle_says():
    value = {
        "numbers": [0, 255, 256, 65535, 65536, -1, 2**40, 1.5, True, False, None],
        "tuples": ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)),
        "text": ["a", "é" * 300],
        1: [[], {}],
    }
    for protocol in (2, 3, 4, 5):
        content = pickle.dumps(value, protocol)
        unpickler = Unpickler(memoryview(content + b"rest"))
        assert unpickler.run() == pickle.load(io.BytesIO(content))
        assert unpickler.position == len(content)
