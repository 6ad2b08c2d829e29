"""The official checkpoints and how to get them."""

from __future__ import annotations

import os
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from ..backend import utils

_GOOGLE = "https://storage.googleapis.com/bert_models"
_HFL = "https://storage.googleapis.com/hfl-rc/chinese-bert"


class PretrainedInfo(NamedTuple):
    """An archive whose folder is not named like the archive.

    Attributes:
        url: Address of the .zip archive.
        extract_name: Name of the folder inside the archive.
        target_name: Name of the folder on this machine.
    """

    url: str
    extract_name: str
    target_name: str


def _small(layer_num: int, embed_dim: int) -> str:
    name = f"uncased_L-{layer_num}_H-{embed_dim}_A-{embed_dim // 64}"
    return f"{_GOOGLE}/2020_02_20/{name}.zip"


class PretrainedList:
    """Addresses of official checkpoints, each an argument for `get_pretrained`.

    `uncased_l2_h128` … `uncased_l12_h768` are the models of 2 to 12 layers and hidden size 128 to
    768 that Google published in 2020, English, lower-cased.

    Reference:
        https://github.com/google-research/bert, https://github.com/ymcui/Chinese-BERT-wwm and
        Turc et al., Well-Read Students Learn Better, https://arxiv.org/abs/1908.08962
    """

    uncased_base = f"{_GOOGLE}/2018_10_18/uncased_L-12_H-768_A-12.zip"
    multi_cased_base = f"{_GOOGLE}/2018_11_23/multi_cased_L-12_H-768_A-12.zip"
    chinese_base = f"{_GOOGLE}/2018_11_03/chinese_L-12_H-768_A-12.zip"
    wwm_uncased_large = f"{_GOOGLE}/2019_05_30/wwm_uncased_L-24_H-1024_A-16.zip"
    wwm_cased_large = f"{_GOOGLE}/2019_05_30/wwm_cased_L-24_H-1024_A-16.zip"
    chinese_wwm_base = PretrainedInfo(
        url=f"{_HFL}/chinese_wwm_L-12_H-768_A-12.zip",
        extract_name="publish",
        target_name="chinese_wwm_L-12_H-768_A-12",
    )

    uncased_l2_h128 = _small(2, 128)
    uncased_l2_h256 = _small(2, 256)
    uncased_l2_h512 = _small(2, 512)
    uncased_l2_h768 = _small(2, 768)
    uncased_l4_h128 = _small(4, 128)
    uncased_l4_h256 = _small(4, 256)
    uncased_l4_h512 = _small(4, 512)
    uncased_l4_h768 = _small(4, 768)
    uncased_l6_h128 = _small(6, 128)
    uncased_l6_h256 = _small(6, 256)
    uncased_l6_h512 = _small(6, 512)
    uncased_l6_h768 = _small(6, 768)
    uncased_l8_h128 = _small(8, 128)
    uncased_l8_h256 = _small(8, 256)
    uncased_l8_h512 = _small(8, 512)
    uncased_l8_h768 = _small(8, 768)
    uncased_l10_h128 = _small(10, 128)
    uncased_l10_h256 = _small(10, 256)
    uncased_l10_h512 = _small(10, 512)
    uncased_l10_h768 = _small(10, 768)
    uncased_l12_h128 = _small(12, 128)
    uncased_l12_h256 = _small(12, 256)
    uncased_l12_h512 = _small(12, 512)
    # Not `uncased_base`, whose archive has the same name.
    uncased_l12_h768 = PretrainedInfo(
        url=_small(12, 768),
        extract_name="",
        target_name="uncased_L-12_H-768_A-12_2020_02_20",
    )


def get_pretrained(info: PretrainedInfo | str) -> str:
    """Download an archive, unless that was done before, and unpack it.

    Archive and folder are kept in `datasets` in the folder of Keras: that which the environment
    variable `KERAS_HOME` names, by default `.keras` in the home folder.

    Args:
        info: An entry of `PretrainedList`, or the address of any .zip archive, whose files may lie
            in a folder or not.

    Returns:
        Path of the folder that holds the files.

    Raises:
        OSError: If the archive cannot be downloaded, or is damaged. The message tells which file to
            put where.
    """
    if isinstance(info, str):
        name = PurePosixPath(unquote(urlsplit(info).path)).stem
        info = PretrainedInfo(info, name, name)
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    folder = home / "datasets" / info.target_name
    archive = folder.with_name(f"{folder.name}.zip")
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        if not archive.is_file():
            _download(info.url, archive, folder)
        _unpack(archive, folder, info.extract_name)
    return str(folder)


def _download(url: str, archive: Path, folder: Path) -> None:
    try:
        utils.get_file(archive.name, url, cache_dir=str(archive.parent.parent))
    except Exception as error:  # Keras raises bare Exceptions
        raise OSError(
            f"{url} could not be downloaded ({error}). Download it by other means and save it as "
            f"{archive}, or put its files into {folder}, and try again."
        ) from error


def _unpack(archive: Path, folder: Path, extract_name: str) -> None:
    """Make `folder` out of an archive, complete or not at all."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        unpacked = Path(temporary) / "unpacked"
        try:
            with zipfile.ZipFile(archive) as file:
                file.extractall(unpacked)
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise OSError(
                f"{archive} is damaged or not a .zip archive ({error}). Delete it and try again."
            ) from error
        _content(unpacked, extract_name).rename(folder)


def _content(unpacked: Path, extract_name: str) -> Path:
    """The folder of an unpacked archive that holds its files."""
    named = unpacked / extract_name
    if extract_name and named.is_dir():
        return named
    entries = [entry for entry in unpacked.iterdir() if entry.name != "__MACOSX"]
    return entries[0] if len(entries) == 1 and entries[0].is_dir() else unpacked
