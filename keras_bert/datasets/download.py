"""One file over HTTP, continued where an earlier try broke off."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import requests
from tqdm import tqdm

# Seconds to connect, and between two pieces of the file.
_TIMEOUT = (10, 30)
_CHUNK = 1 << 16
# Pauses in seconds between tries that brought nothing new; after the last the download has failed.
_PAUSES = (0.5, 1.0, 2.0)
_WORTH_ANOTHER_TRY = (408, 425, 429, 500, 502, 503, 504)
_BROKEN_OFF = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)


class _BrokenOffError(Exception):
    """A try that failed in a way that the next one may not."""


def download(url: str, part: Path, name: str, progress: bool = True) -> None:
    """Download a file; bytes that are there from an earlier try are kept if they belong to it.

    Whether they do is left to the server: a request for the rest names the ETag (or the date) that
    came with the first bytes, and a server whose file is another one by now answers with all of it
    (RFC 9110, section 13.1.5, If-Range). Servers that do not know ranges, or that name neither, are
    asked for the whole. What the bytes in `part` belong to stands beside it, in `….json`.

    Raises:
        OSError: The server refuses, or the connection broke off again and again. What has arrived
            stays for the next call.
    """
    best, failures = _size(part), 0
    off = None if progress else True  # None: off where there is no terminal
    bar = tqdm(desc=name, unit="B", unit_scale=True, unit_divisor=1024, disable=off)
    with requests.Session() as session, bar:
        while True:
            try:
                return _try_once(session, url, part, bar)
            except _BrokenOffError as error:
                if _size(part) > best:
                    best, failures = _size(part), 0
                if failures == len(_PAUSES):
                    raise OSError(str(error)) from error.__cause__
                time.sleep(_PAUSES[failures])
                failures += 1
            except requests.RequestException as error:
                raise OSError(_reason(error)) from error


def remove_part(part: Path) -> None:
    """Forget what has arrived."""
    part.unlink(missing_ok=True)
    _note(part).unlink(missing_ok=True)


def _try_once(session: requests.Session, url: str, part: Path, bar: tqdm) -> None:
    offset, validator = _resumable(part, url)
    # Compressed in transit, the bytes would not be those of the file.
    headers = {"Accept-Encoding": "identity"}
    if offset:
        headers |= {"Range": f"bytes={offset}-", "If-Range": validator}
    try:
        with session.get(url, headers=headers, stream=True, timeout=_TIMEOUT) as response:
            _receive(response, url, part, offset, bar)
    except requests.exceptions.SSLError:
        raise  # a certificate does not get better
    except _BROKEN_OFF as error:
        raise _BrokenOffError(_reason(error)) from error


def _receive(response: requests.Response, url: str, part: Path, offset: int, bar: tqdm) -> None:
    status = f"the server answered {response.status_code} {response.reason}"
    if response.status_code == 416 and offset:
        if _content_range(response) == (None, offset):
            return  # nothing is missing
        remove_part(part)
        raise _BrokenOffError(status)
    if response.status_code in _WORTH_ANOTHER_TRY:
        raise _BrokenOffError(status)
    if response.status_code not in (200, 206):
        raise OSError(status)
    if response.status_code == 206:
        start, total = _content_range(response)
        if start != offset:
            remove_part(part)
            raise _BrokenOffError(f"{status} with other bytes than asked for")
    else:
        offset, total = 0, _length(response)
        _write_note(part, url, response)
    bar.total = total
    bar.n = bar.initial = offset
    with open(part, "ab" if offset else "wb") as stream:
        for chunk in response.iter_content(_CHUNK):
            stream.write(chunk)
            bar.update(len(chunk))
    if total is not None and _size(part) != total:
        raise _BrokenOffError(f"{_size(part)} of {total} bytes arrived")


def _content_range(response: requests.Response) -> tuple[int | None, int | None]:
    """First byte and total size that the server names, None where it does not."""
    given = response.headers.get("Content-Range", "")
    match = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(?:(\d+)|\*)", given)
    if match is None:
        return None, None
    start, total = match.groups()
    return (None if start is None else int(start)), (None if total is None else int(total))


def _length(response: requests.Response) -> int | None:
    length = response.headers.get("Content-Length", "")
    plain = response.headers.get("Content-Encoding", "identity") == "identity"
    return int(length) if length.isdecimal() and plain else None


def _resumable(part: Path, url: str) -> tuple[int, str]:
    """How many bytes are there to build on, and the validator that they came with."""
    try:
        note = json.loads(_note(part).read_text("utf-8"))
        if note["url"] == url and note["validator"]:
            return _size(part), note["validator"]
    except (OSError, ValueError, TypeError, KeyError):
        pass
    return 0, ""


def _write_note(part: Path, url: str, response: requests.Response) -> None:
    """Note what the bytes belong to, before the first of them is written."""
    etag = response.headers.get("ETag", "")
    # A weak ETag promises the same meaning, not the same bytes.
    validator = response.headers.get("Last-Modified", "") if etag[:2] in ("", "W/") else etag
    if response.headers.get("Content-Encoding", "identity") != "identity":
        validator = ""
    part.unlink(missing_ok=True)
    _note(part).write_text(json.dumps({"url": url, "validator": validator}), "utf-8")


def _note(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _reason(error: BaseException) -> str:
    """Say what is behind an error of requests, without the objects that it prints."""
    if isinstance(error, requests.Timeout) or "Read timed out" in str(error):
        return f"the server was silent for {_TIMEOUT[1]} seconds"
    cause = error
    while (inner := getattr(cause, "reason", None) or (cause.args and cause.args[0])) and (
        isinstance(inner, BaseException)
    ):
        cause = inner
    return re.sub(r"<[^>]*>:? ?|^\w+Connection\([^)]*\): ", "", str(cause)) or type(error).__name__
