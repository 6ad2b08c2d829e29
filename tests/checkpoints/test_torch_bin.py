"""PyTorch's formats: files that PyTorch wrote, and archives each part of which is wrong."""

import zipfile

import ml_dtypes
import numpy as np
import pytest
from checkpoint_files import DATA, STATE, assert_holds, is_same, numbers, repack

from keras_bert.checkpoints import CheckpointError, open_checkpoint


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
def test_equality_is_that_of_elements_not_of_storages(tmp_path, name):
    torch = pytest.importorskip("torch", reason="only PyTorch writes such files")
    a = torch.arange(6.0).reshape(2, 3)
    tensors = {"a": a, "same": a, "copy": a.clone(), "turned": a.T.contiguous().T, "other": a + 1}
    torch.save(tensors, tmp_path / name, _use_new_zipfile_serialization=name == "zip.bin")
    checkpoint = open_checkpoint(tmp_path / name)
    equal = {other: checkpoint.are_equal("a", other) for other in tensors}
    assert equal == {"a": True, "same": True, "copy": True, "turned": True, "other": False}


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


def test_an_endless_byte_order_is_shown_in_part(tmp_path):
    path = repack(tmp_path / "m.bin", lambda name, c: b"p" * 9999 if "byteorder" in name else c)
    with pytest.raises(CheckpointError, match="byte order") as error:
        open_checkpoint(path)
    assert len(str(error.value)) < 1000


def test_a_long_name_before_many_others_takes_no_memory(tmp_path):
    """One of 4,000 letters, which stands in the file once, and 5,000 tensors below."""
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n((U\x07storagectorch\nFloatStorage\n"
    tensor += b"U\x010U\x03cpuK\x18tQK\x00))\x89}tR"
    name = b"X" + (4000).to_bytes(4, "little") + b"a" * 4000
    items = [b"M" + number.to_bytes(2, "little") + b"h\x00" for number in range(5000)]
    for count in (10, 5000):
        content = b"\x80\x02}(U\x01t" + tensor + b"q\x00" + name + b"}("
        content += b"".join(items[:count]) + b"uu."
        path = repack(
            tmp_path / "m.bin", lambda member, c, new=content: new if "data.pkl" in member else c
        )
        if count == 10:
            assert len(open_checkpoint(path)) == 11
    with pytest.raises(CheckpointError, match="nested too deeply, or names too long"):
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
