"""Models on this machine: downloaded, checked and unpacked, once."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from .hashes import (
    check_archive,
    check_files,
    check_sizes,
    check_source,
    record_archive,
    record_source,
)
from .hub import PREFIX, hub_folder
from .official import (
    GOOGLE_STORAGE,
    PretrainedInfo,
    PretrainedList,
    by_name,
    check_name,
    no_such_model,
    on_hub_page,
)
from .saved_models import check_is_no_saved_model, is_named_as_saved_model, saved_model_error
from .unpacking import ArchiveError, unpack

__all__ = ["PretrainedInfo", "PretrainedList", "get_pretrained"]

_TAR_ENDING = re.compile(r"\.(tar\.gz|tgz)$", re.IGNORECASE)
MIRROR_VARIABLE = "KERAS_BERT_MIRROR"


def get_pretrained(
    info: PretrainedInfo | str | os.PathLike[str],
    *,
    mirror: str | None = None,
    sha256: str | None = None,
    progress: bool = True,
) -> str:
    """Download an archive, unless that was done before, and unpack it.

    Archive and folder are kept in `datasets` in the folder of Keras, which the environment variable
    `KERAS_HOME` names (by default `~/.keras`). The next call continues a download that broke off.
    The folder appears when it is complete; processes that ask for the same one wait for each other.

    The archive's SHA-256 is noted in `keras_bert_sha256.json` there when it is first unpacked, and
    has to be the same ever after. Of some official archives the hashes of the files inside are
    known, and compared when they are unpacked. Files that you put into the folder yourself are not
    hashed; that their configuration has the layers and the size of the official model is checked.

    `hf://…` is fetched by the package huggingface_hub (`pip install huggingface_hub`), into its own
    cache and by its own settings, such as `HF_HOME`, `HF_TOKEN`, `HF_ENDPOINT` and
    `HF_HUB_OFFLINE`; only files that are read are.

    Args:
        info: An entry of `PretrainedList` or its name, such as "tiny", if no path is called so; or
            the URL (http, https, file) or path of any .zip or .tar.gz archive, whose files may lie
            in a folder or not; or `hf://org/name` or `hf://org/name@revision`, a repository of
            Hugging Face's hub; or the path or `file:` URL of a model already unpacked.
        mirror: A URL or folder that stands in for `https://storage.googleapis.com`, with the same
            paths below it; by default what the environment variable `KERAS_BERT_MIRROR` names.
        sha256: The hash that the archive must have, compared when it is unpacked.
        progress: Whether to show a progress bar on a terminal.

    Returns:
        Path of the folder that holds the files.

    Raises:
        ImportError: If the package huggingface_hub is needed and missing.
        OSError: If the archive or repository cannot be downloaded, is damaged, unsafe to unpack or
            not the one it should be, or the folder holds another model. The message tells which
            file to put where.
        TypeError: If `info` is neither an entry nor a path nor a str.
        ValueError: If the address names no file, or a saved model (`.keras`, `.h5`), or an argument
            makes no sense.

    Example:
        >>> import os
        >>> from keras_bert import get_pretrained
        >>> sorted(os.listdir(get_pretrained("tiny")))[-1]
        'vocab.txt'
    """
    if sha256 is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", sha256):
        raise ValueError(f"`sha256` must be 64 hexadecimal digits. Received: sha256={sha256!r}.")
    info = by_name(info) or info
    if not isinstance(info, PretrainedInfo):
        check_name("`info`", info)
        address = os.fspath(info)
        if address.startswith(PREFIX):
            if mirror is not None or sha256 is not None:
                raise ValueError(
                    "`mirror` and `sha256` are of archives; HF_ENDPOINT names a mirror of the hub. "
                    f"Received: info={address!r}, mirror={mirror!r}, sha256={sha256!r}."
                )
            return hub_folder(address, progress)
        local = _local_path(address)
        is_web = urlsplit(address).scheme in ("http", "https")
        if local is None and (not is_web or on_hub_page(address)):
            raise no_such_model(address)
        if local is not None and local.is_dir():
            return str(local)
        if (local is None or local.exists()) and is_named_as_saved_model(address):
            raise saved_model_error(address)
        if local is not None and local.is_file():
            check_is_no_saved_model(local, address)
        path = local or PurePosixPath(unquote(urlsplit(address).path))
        name = _TAR_ENDING.sub("", path.name) if _TAR_ENDING.search(path.name) else path.stem
        info = PretrainedInfo(address, name, name)
    if info.target_name in ("", ".", "..") or re.search(r"[/\\]", info.target_name):
        raise ValueError(f"`info` must name a .zip or .tar.gz archive. Received: {info!r}.")
    if ".." in PurePosixPath(info.extract_name).parts:
        raise ValueError(f"`extract_name` must be inside the archive. Received: {info!r}.")
    source = _through_mirror(info.url, mirror)
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    folder = home / "datasets" / info.target_name
    if not folder.is_dir():
        from filelock import FileLock  # what only downloads need is imported here

        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(f".{folder.name}.lock")):
            if not folder.is_dir():  # nobody was faster
                _get(info, source, folder, sha256, progress)
    local = _local_path(info.url)
    if local is not None:
        check_source(folder, local)
    check_sizes(folder, info.url)
    return str(folder)


def _local_path(address: str) -> Path | None:
    """The path that an address is or stands for, None for an address on the network."""
    parts = urlsplit(address)
    if parts.scheme == "file":
        return Path(url2pathname(parts.path))
    # One letter is a drive, not a scheme.
    return Path(address) if len(parts.scheme) < 2 else None


def _through_mirror(url: str, mirror: str | None) -> str:
    mirrored = url.startswith(f"{GOOGLE_STORAGE}/")
    if mirror is not None and not mirrored:
        raise ValueError(f"`mirror` stands in for {GOOGLE_STORAGE} only. Received: info={url!r}.")
    mirror = mirror or os.environ.get(MIRROR_VARIABLE)
    return url.replace(GOOGLE_STORAGE, mirror.rstrip("/"), 1) if mirror and mirrored else url


def _get(info: PretrainedInfo, source: str, folder: Path, sha256: str | None, progress: bool):
    """Find or download the archive and make `folder` out of it, complete or not at all."""
    from .download import download, remove_part

    ending = ".tar.gz" if _TAR_ENDING.search(urlsplit(info.url).path) else ".zip"
    archive = folder.with_name(f"{folder.name}{ending}")
    part = archive.with_name(f"{archive.name}.part")
    here = local = _local_path(info.url)
    if local is None or not local.is_file():
        local = archive if archive.is_file() else _local_path(source)
    try:
        if local is None:
            download(source, part, archive.name, progress)
        elif not local.is_file():
            raise FileNotFoundError(f"there is no file {local}")
    except OSError as error:
        if "://" not in info.url:
            raise no_such_model(info.url) from None
        hint = ""
        if info.url.startswith(GOOGLE_STORAGE):
            hint = f" Or name a mirror by {MIRROR_VARIABLE}, or take hf://org/name from the hub."
        raise OSError(
            f"{source} could not be downloaded: {error}. Download it by other means and save it as "
            f"{archive}, or put its files into {folder}, and try again.{hint}"
        ) from None
    unpacked = folder.with_name(f".{folder.name}.unpacked")
    shutil.rmtree(unpacked, ignore_errors=True)  # of a process that was killed
    try:
        check_is_no_saved_model(local or part, info.url)
        digest = check_archive(local or part, info.url, sha256, folder.parent)
        unpack(local or part, unpacked)
        content = _content(unpacked, info.extract_name)
        check_files(content, info.url)
        record_source(folder, local or part)
        if local is None:
            os.replace(part, archive)
            remove_part(part)
        if here is None:
            record_archive(info.url, digest, folder.parent)
        content.rename(folder)
    except (ArchiveError, ValueError) as error:
        advice = f"Put another file in the place of {local} and try again."
        if local is None:
            remove_part(part)
            advice = "It has been deleted; try again, from another place if that does not help."
        if isinstance(error, ValueError):  # it is a saved model, which the message says
            raise
        raise OSError(f"{source} cannot be used: {error}. {advice}") from error
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)


def _content(unpacked: Path, extract_name: str) -> Path:
    """The folder of an unpacked archive that holds its files."""
    named = unpacked / extract_name
    if extract_name and named.is_dir():
        return named
    entries = [entry for entry in unpacked.iterdir() if entry.name != "__MACOSX"]
    return entries[0] if len(entries) == 1 and entries[0].is_dir() else unpacked
