"""What users call: archives and folders from here and there, and the folder that comes out."""

import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from archives import FILES, make_archive, read
from runtimes import once

from keras_bert.checkpoints.paths import get_checkpoint_paths
from keras_bert.datasets import PretrainedInfo, PretrainedList, get_pretrained, pretrained

OFFICIAL = PretrainedList.uncased_l2_h128
OFFICIAL_PATH = "/bert_models/2020_02_20/uncased_L-2_H-128_A-2.zip"

pytestmark = once


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A folder of Keras of the test's own."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("KERAS_BERT_MIRROR", raising=False)
    return tmp_path / "home" / "datasets"


@pytest.fixture
def server(tmp_path):
    (tmp_path / "server").mkdir()
    return tmp_path / "server"


def visible(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


@pytest.mark.parametrize("folder", ["", "tiny/", "another/"])
@pytest.mark.parametrize("form", ["url", "string", "path"])
def test_archive_on_this_machine(server, home, folder, form):
    path = make_archive(server / "tiny.zip", folder)
    got = get_pretrained({"url": path.as_uri(), "string": str(path), "path": path}[form])
    assert got == str(home / "tiny")
    assert read(got) == FILES


@pytest.mark.parametrize("name", ["albert_base_v2.tar.gz", "albert_base_v2.tgz"])
@pytest.mark.parametrize("remote", [False, True])
def test_a_tar_of_google_s_albert(server, home, web, name, remote):
    with tarfile.open(server / name, "w:gz") as archive:
        for file in ("albert_config.json", "30k-clean.model", "model.ckpt-best.index"):
            (server / file).write_text(file)
            archive.add(server / file, f"albert_base/{file}")
    web.files[f"/{name}"] = (server / name).read_bytes()
    folder = get_pretrained(f"{web.url}/{name}" if remote else server / name)
    assert folder == str(home / "albert_base_v2")
    paths = [Path(path).relative_to(folder) for path in get_checkpoint_paths(folder)]
    assert list(map(str, paths)) == ["albert_config.json", "model.ckpt-best", "30k-clean.model"]
    if remote:
        assert "albert_base_v2.tar.gz" in visible(home)


@pytest.mark.parametrize("folder", ["", "publish/", "another/"])
def test_entry_with_names(server, home, folder):
    archive = make_archive(server / "archive.zip", folder, extra=["__MACOSX/._publish"])
    got = get_pretrained(PretrainedInfo(archive.as_uri(), "publish", "target"))
    assert got == str(home / "target")
    assert read(got) == FILES


def test_archives_of_one_name_do_not_meet(server):
    (server / "2018").mkdir()
    (server / "2020").mkdir()
    url = make_archive(server / "2018" / "uncased.zip")
    other = make_archive(server / "2020" / "uncased.zip", "x/").as_uri()
    assert get_pretrained(url) != get_pretrained(PretrainedInfo(other, "x", "uncased_2020"))


def test_another_archive_of_the_same_name_is_refused(server, home):
    (server / "2018").mkdir()
    (server / "2020").mkdir()
    first = make_archive(server / "2018" / "uncased.zip")
    other = make_archive(server / "2020" / "uncased.zip", extra=["another"])
    folder = get_pretrained(first)
    with pytest.raises(OSError, match="was made of another archive of this name"):
        get_pretrained(other)
    assert get_pretrained(shutil.move(first, server / "uncased.zip")) == folder
    shutil.rmtree(folder)
    assert get_pretrained(other) == folder
    assert "another" in visible(home / "uncased")


def test_an_archive_here_comes_before_a_downloaded_one_of_its_name(web, server, home):
    web.files["/tiny.zip"] = make_archive(server / "web.zip", "tiny/").read_bytes()
    folder = get_pretrained(f"{web.url}/tiny.zip")
    other = make_archive(server / "tiny.zip", extra=["another"])
    with pytest.raises(OSError, match="was made of another archive of this name"):
        get_pretrained(other)
    shutil.rmtree(folder)
    assert get_pretrained(other) == folder
    assert "another" in visible(home / "tiny")


@pytest.mark.parametrize("form", [str, lambda path: path.as_uri(), lambda path: path])
def test_a_folder_is_taken_as_it_is(server, home, form):
    assert get_pretrained(form(server)) == str(server)
    assert not home.exists()


def test_a_name_in_the_list_is_an_address(home, monkeypatch, tmp_path):
    assert get_pretrained("tiny") == PretrainedList.tiny
    (home / "uncased_L-2_H-128_A-2").mkdir(parents=True)
    assert get_pretrained("uncased_l2_h128") == str(home / "uncased_L-2_H-128_A-2")
    other = '{"num_hidden_layers": 4, "hidden_size": 128}'
    (home / "uncased_L-2_H-128_A-2" / "bert_config.json").write_text(other)
    with pytest.raises(OSError, match="4 layers of 128, not 2 of 128"):
        get_pretrained("uncased_l2_h128")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny").mkdir()
    assert get_pretrained("tiny") == "tiny"  # what exists as a path is no name


@pytest.mark.parametrize("address", ["none", "a/folder", "a/file.zip", "__doc__", "mro"])
def test_what_is_neither_path_nor_name_is_said(home, address):
    with pytest.raises(FileNotFoundError, match=f"There is no model '{address}'"):
        get_pretrained(address)
    assert visible(home) == []


def test_a_second_call_needs_nothing(web, home):
    web.files["/tiny.zip"] = make_archive(home.parent.parent / "tiny.zip", "tiny/").read_bytes()
    first = get_pretrained(f"{web.url}/tiny.zip")
    (home / "tiny.zip").unlink()
    web.files.clear()
    assert get_pretrained(f"{web.url}/tiny.zip") == first
    assert read(first) == FILES
    assert len(web.ranges) == 1


def test_ctrl_c_while_unpacking_keeps_the_download(web, home, server, monkeypatch):
    web.files["/tiny.zip"] = make_archive(server / "tiny.zip", "tiny/").read_bytes()

    def interrupted(archive, folder):
        folder.mkdir()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pretrained, "unpack", interrupted)
        with pytest.raises(KeyboardInterrupt):
            get_pretrained(f"{web.url}/tiny.zip")
    assert visible(home) == ["tiny.zip.part", "tiny.zip.part.json"]
    assert read(get_pretrained(f"{web.url}/tiny.zip")) == FILES
    # The second call asked only for what comes after the last byte.
    assert web.ranges == [None, f"bytes={(server / 'tiny.zip').stat().st_size}-"]
    assert visible(home) == ["keras_bert_sha256.json", "tiny", "tiny.zip"]


@pytest.mark.parametrize("remote", [False, True])
def test_without_network_the_message_says_what_to_put_where(server, home, web, remote):
    url = f"{web.url}/tiny.zip" if remote else (server / "tiny.zip").as_uri()
    with pytest.raises(OSError, match="could not be downloaded") as error:
        get_pretrained(url)
    for part in (url, home / "tiny.zip", home / "tiny"):
        assert str(part) in str(error.value)
    # Doing so helps.
    make_archive(home / "tiny.zip", "tiny/")
    assert read(get_pretrained(url)) == FILES


def test_nobody_listens(home, monkeypatch):
    monkeypatch.setattr("keras_bert.datasets.download._PAUSES", (0, 0))
    with pytest.raises(OSError, match="Connection refused"):
        get_pretrained("http://127.0.0.1:9/tiny.zip")
    assert visible(home) == []


def test_without_network_an_official_model_has_other_ways(home, monkeypatch):
    monkeypatch.setattr("keras_bert.datasets.download._PAUSES", (0, 0))
    with pytest.raises(OSError, match=r"KERAS_BERT_MIRROR, or take hf://") as error:
        get_pretrained("chinese_base", mirror="http://127.0.0.1:9")
    assert error.value.__suppress_context__  # so that there is one traceback


def test_files_put_into_the_folder_serve(home):
    (home / "uncased_L-2_H-128_A-2").mkdir(parents=True)
    assert get_pretrained(OFFICIAL) == str(home / "uncased_L-2_H-128_A-2")


@pytest.mark.parametrize("way", ["argument", "variable", "folder"])
def test_a_mirror_stands_in_for_googles_server(web, home, server, monkeypatch, way):
    archive = make_archive(server / "a.zip").read_bytes()
    web.files["/mirror" + OFFICIAL_PATH] = archive
    (server / OFFICIAL_PATH[1:]).parent.mkdir(parents=True)
    (server / OFFICIAL_PATH[1:]).write_bytes(archive)
    mirror = str(server) if way == "folder" else f"{web.url}/mirror/"
    if way == "variable":
        monkeypatch.setenv("KERAS_BERT_MIRROR", mirror)
        assert read(get_pretrained(OFFICIAL)) == FILES
        # Other addresses are not touched.
        web.files["/other.zip"] = archive
        assert read(get_pretrained(f"{web.url}/other.zip")) == FILES
    else:
        assert read(get_pretrained(OFFICIAL, mirror=mirror)) == FILES


def test_a_mirror_must_not_serve_another_file_than_before(web, server, home):
    web.files[OFFICIAL_PATH] = make_archive(server / "a.zip").read_bytes()
    folder = get_pretrained(OFFICIAL, mirror=web.url)
    shutil.rmtree(folder)
    (home / "uncased_L-2_H-128_A-2.zip").unlink()
    web.files[OFFICIAL_PATH] = make_archive(server / "b.zip", "x/").read_bytes()
    with pytest.raises(OSError, match="when https://storage") as error:
        get_pretrained(OFFICIAL, mirror=web.url)
    assert str(home / "keras_bert_sha256.json") in str(error.value)
    assert visible(home) == ["keras_bert_sha256.json"]
    # The way that the message shows.
    (home / "keras_bert_sha256.json").unlink()
    assert read(get_pretrained(OFFICIAL, mirror=web.url)) == FILES


def test_known_files_are_compared(web, server, home):
    url = PretrainedList.chinese_base
    web.files[url.removeprefix("https://storage.googleapis.com")] = make_archive(
        server / "a.zip"
    ).read_bytes()
    with pytest.raises(OSError, match="SHA-256 of its bert_config"):
        get_pretrained(url, mirror=web.url)
    # Nothing is trusted, nothing is left.
    assert visible(home) == []


def test_the_hash_asked_for(server):
    path = make_archive(server / "tiny.zip")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(OSError, match=f"its SHA-256 is {digest}, asked for was 000"):
        get_pretrained(path, sha256="0" * 64)
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        get_pretrained(path, sha256="abc")
    assert read(get_pretrained(path, sha256=digest.upper())) == FILES


def test_a_damaged_record_is_named(web, home):
    home.mkdir(parents=True)
    (home / "keras_bert_sha256.json").write_text("{")
    web.files["/tiny.zip"] = make_archive(home / "a.zip").read_bytes()
    with pytest.raises(OSError, match=re.escape(f"{home / 'keras_bert_sha256.json'} is damaged")):
        get_pretrained(f"{web.url}/tiny.zip")


@pytest.mark.parametrize("local", [True, False])
def test_a_damaged_archive_leaves_no_folder(server, home, web, local):
    whole = make_archive(server / "tiny.zip", "tiny/").read_bytes()
    web.files["/tiny.zip"] = whole[: len(whole) // 2]
    (server / "tiny.zip").write_bytes(whole[: len(whole) // 2])
    url = (server / "tiny.zip").as_uri() if local else f"{web.url}/tiny.zip"
    with pytest.raises(OSError, match="cannot be used: it is damaged") as error:
        get_pretrained(url)
    # A file of the user's stays, what was downloaded goes.
    assert (server / "tiny.zip").exists()
    assert (str(server / "tiny.zip") in str(error.value)) == local
    assert visible(home) == []
    web.files["/tiny.zip"] = whole
    (server / "tiny.zip").write_bytes(whole)
    assert read(get_pretrained(url)) == FILES


def test_a_byte_that_changed_on_the_way_is_noticed(web, home, server):
    web.files["/tiny.zip"] = make_archive(server / "tiny.zip").read_bytes()
    web.script = ["corrupt"]
    with pytest.raises(OSError, match=r"it is damaged .*It has been deleted; try again"):
        get_pretrained(f"{web.url}/tiny.zip")
    assert visible(home) == []
    assert read(get_pretrained(f"{web.url}/tiny.zip")) == FILES


@pytest.mark.parametrize(
    "info",
    ["https://a.org/", "https://a.org/..", PretrainedInfo("https://a.org/b.zip", "", "a/b")],
)
def test_addresses_that_name_no_archive(info):
    with pytest.raises(ValueError, match="must name a"):
        get_pretrained(info)


def test_a_mirror_for_another_address_is_refused():
    with pytest.raises(ValueError, match="`mirror` stands in for"):
        get_pretrained("https://example.org/a.zip", mirror="https://example.com")


GET = """
import sys, types
package = sys.modules["keras_bert"] = types.ModuleType("keras_bert")  # without Keras, to be fast
package.__path__ = [sys.argv[1]]
from keras_bert.checkpoints.paths import get_checkpoint_paths
from keras_bert.datasets import get_pretrained
print(get_pretrained(sys.argv[2]))
"""


def test_processes_at_once_do_not_disturb_each_other(web, home, server):
    web.files["/tiny.zip"] = make_archive(server / "tiny.zip", "tiny/").read_bytes()
    package = Path(pretrained.__file__).parents[1]
    command = [sys.executable, "-c", GET, str(package), f"{web.url}/tiny.zip"]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert {process.communicate(timeout=60)[0] for process in started} == {f"{home / 'tiny'}\n"}
    assert read(home / "tiny") == FILES
    assert len(web.ranges) == 1
    assert visible(home) == ["keras_bert_sha256.json", "tiny", "tiny.zip"]
