"""Downloads from a server that misbehaves: the whole file comes out, or an error, never half."""

import json

import pytest
from runtimes import once

from keras_bert.datasets import download as module
from keras_bert.datasets.download import download

pytestmark = once

CONTENT = bytes(range(256)) * 4000  # about 1 MB, many pieces


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(module, "_PAUSES", (0, 0, 0))
    monkeypatch.setattr(module, "_TIMEOUT", (5, 0.3))


@pytest.fixture
def part(tmp_path, web):
    web.files["/file"] = CONTENT
    return tmp_path / "file.part"


def get(web, part, path="/file"):
    download(f"{web.url}{path}", part, "file")
    return part.read_bytes()


@pytest.mark.parametrize("way", ["drop", "truncate", "stall"])
def test_what_broke_off_is_continued(web, part, way):
    web.script = [way, way]
    assert get(web, part) == CONTENT
    assert web.ranges[0] is None
    starts = [int(asked.removeprefix("bytes=").rstrip("-")) for asked in web.ranges[1:]]
    assert len(starts) == 2
    assert 0 < starts[0] < starts[1] < len(CONTENT)


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_server_that_is_busy_is_asked_again(web, part, status):
    web.script = [status, "drop", status]
    assert get(web, part) == CONTENT


@pytest.mark.parametrize(("status", "requests"), [(404, 1), (403, 1), (500, 4)])
def test_a_refusal_is_an_error(web, part, status, requests):
    web.script = [status] * 9
    with pytest.raises(OSError, match=f"the server answered {status}"):
        get(web, part)
    assert len(web.ranges) == requests
    assert not part.exists()


def test_the_next_call_continues(web, part):
    web.script = ["drop", 500, 500, 500, 500]
    with pytest.raises(OSError, match="answered 500"):
        get(web, part)
    assert 0 < part.stat().st_size < len(CONTENT)
    web.script, web.ranges = [], []
    assert get(web, part) == CONTENT
    assert web.ranges[0].startswith("bytes=")


@pytest.mark.slow
def test_silence_is_an_error_that_says_so(web, part):
    web.script = ["stall"] * 30
    web.knows_ranges = False
    with pytest.raises(OSError, match="was silent"):
        get(web, part)


def test_a_file_that_was_replaced_meanwhile_is_fetched_anew(web, part):
    web.script = ["drop", "swap"]
    assert get(web, part) == CONTENT[::-1]
    assert web.ranges[1].startswith("bytes=")


def test_bytes_of_another_address_are_not_continued(web, part):
    web.script = ["drop", 404]
    with pytest.raises(OSError, match="404"):
        get(web, part)
    web.files["/other"] = CONTENT[::-1]
    assert get(web, part, "/other") == CONTENT[::-1]
    assert web.ranges[-1] is None


def test_a_server_without_ranges_sends_all_again(web, part):
    web.knows_ranges = False
    web.script = ["drop"]
    assert get(web, part) == CONTENT


@pytest.mark.parametrize("etag", ["", 'W/"{}"'])
@pytest.mark.parametrize("date", [None, "Mon, 30 Nov 2026 00:00:00 GMT"])
def test_without_a_strong_etag_the_date_decides(web, part, etag, date):
    """A weak ETag promises the same meaning, not the same bytes."""
    web.etag, web.date = etag, date
    web.script = ["drop", ""]
    assert get(web, part) == CONTENT
    assert web.ranges[0] is None
    assert (web.ranges[1] is not None) == (date is not None)


def test_bytes_compressed_in_transit_are_not_continued(web, part):
    """Nobody asked for that; the bytes that come next may be of another compression."""
    web.encoding = "compress"
    web.script = ["drop", ""]
    assert get(web, part) == CONTENT
    assert web.ranges == [None, None]


def test_other_bytes_than_asked_for_are_dropped(web, part):
    web.script = ["drop", "elsewhere", ""]
    assert get(web, part) == CONTENT
    assert web.ranges[1] is not None
    assert web.ranges[2] is None


def test_a_server_that_always_breaks_off_in_one_place_is_given_up(web, part):
    web.knows_ranges = False
    web.script = ["truncate"] * 30
    with pytest.raises(OSError, match=f"{len(CONTENT) // 2}"):
        get(web, part)
    assert len(web.ranges) < 10


def test_a_complete_file_is_not_fetched_again(web, part):
    get(web, part)
    web.ranges = []
    assert get(web, part) == CONTENT
    assert web.ranges == [f"bytes={len(CONTENT)}-"]


def test_a_part_longer_than_the_file_is_dropped(web, part):
    get(web, part)
    part.write_bytes(CONTENT + b"more")
    assert get(web, part) == CONTENT


@pytest.mark.parametrize("note", ["", "[]", json.dumps({"url": 1}), "null"])
def test_a_damaged_note_starts_anew(web, part, note):
    part.write_bytes(b"rubbish")
    part.with_name("file.part.json").write_text(note)
    assert get(web, part) == CONTENT


def test_redirects_are_followed(web, part):
    web.script = ["", "drop"]
    assert get(web, part, "/moved/file") == CONTENT


def test_an_empty_file_and_one_of_unknown_length(web, part):
    web.files["/empty"] = b""
    assert get(web, part, "/empty") == b""
    web.sends_length = False
    assert get(web, part) == CONTENT


def test_addresses_of_other_kinds(part):
    with pytest.raises(OSError, match="ftp"):
        download("ftp://127.0.0.1/file", part, "file")
