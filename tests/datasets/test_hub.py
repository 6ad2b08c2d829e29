"""Models fetched from a server that speaks the hub's protocol, and that fails as networks do."""

import json
import sys
import time
import traceback
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
from command_line import start
from hub_server import serving
from runtimes import once

from keras_bert import extract_embeddings, get_checkpoint_paths, get_pretrained
from keras_bert.datasets.hub import hub_folder

hub = pytest.importorskip("huggingface_hub")
constants = pytest.importorskip("huggingface_hub.constants")

DATA = Path(__file__).parents[1] / "data" / "transformers"
NAME = "org/name"
ADDRESS = f"hf://{NAME}"
MODEL = {
    name: (DATA / name).read_bytes()
    for name in ("config.json", "model.safetensors", "pytorch_model.bin", "vocab.txt")
}
UNREAD = dict.fromkeys(("README.md", "onnx/model.onnx", "flax_model.msgpack", "merges.txt"), b"x")
READ = ["config.json", "model.safetensors", "vocab.txt"]
TEMPLATE = "{repo_id}/resolve/{revision}/{filename}"
pytestmark = once


def set_constants(monkeypatch, **constants):
    """Old versions of the library have copies of what they read from the environment at import."""
    modules = [each for name, each in list(sys.modules.items()) if "huggingface_hub" in name]
    for name, value in constants.items():
        for module in modules:
            if name in vars(module):
                monkeypatch.setattr(module, name, value)


@contextmanager
def patience(way):
    """The library waits only where the server does not fall silent on purpose."""
    with pytest.MonkeyPatch.context() as patch:
        if way == "stall":
            set_constants(patch, HF_HUB_ETAG_TIMEOUT=0.2, HF_HUB_DOWNLOAD_TIMEOUT=0.2)
        yield


@pytest.fixture
def server(monkeypatch, tmp_path):
    """A server whose model the library takes for the hub's, with an empty cache."""
    with serving() as server:
        server.add(NAME, {**MODEL, **UNREAD})
        set_constants(
            monkeypatch,
            ENDPOINT=server.url,
            HUGGINGFACE_CO_URL_TEMPLATE=f"{server.url}/{TEMPLATE}",
            HF_HUB_CACHE=str(tmp_path / "cache"),
            HF_HUB_OFFLINE=False,
            HF_HUB_ETAG_TIMEOUT=60,
            HF_HUB_DOWNLOAD_TIMEOUT=60,
        )
        monkeypatch.setattr(time, "sleep", lambda seconds: None)  # between the library's tries
        yield server


def stands_alone(error):
    """Whether the traceback shows this error and no other."""
    return "".join(traceback.format_exception(error)).count("Traceback") == 1


def names(folder):
    return sorted(
        path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file()
    )


@pytest.mark.filterwarnings("ignore:Most tokens")
def test_only_what_is_read_is_fetched_and_the_model_computes_what_a_folder_s_does(server):
    vectors = extract_embeddings(ADDRESS, ["a text", "another"], poolings="POOL_AVE")
    assert server.fetched() == READ
    assert names(get_pretrained(ADDRESS)) == READ
    np.testing.assert_array_equal(
        vectors, extract_embeddings(DATA, ["a text", "another"], "POOL_AVE")
    )


def test_every_name_for_a_folder_takes_it(server):
    folder = get_pretrained(ADDRESS)
    assert get_checkpoint_paths(ADDRESS) == get_checkpoint_paths(folder)
    assert get_pretrained(f"{ADDRESS}/") == folder


@pytest.mark.parametrize("kept", ["pytorch_model.bin", "tf_model.h5"])
def test_one_file_of_weights_is_fetched(server, kept):
    server.add(
        NAME, {"config.json": b"{}", kept: b"x", "vocab.txt": b"x", "flax_model.msgpack": b"x"}
    )
    assert names(hub_folder(ADDRESS)) == sorted(["config.json", kept, "vocab.txt"])


def test_shards_are_fetched(server):
    index = json.dumps({"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}})
    shards = {f"model-{number}.safetensors": b"x" * number for number in (1, 2, 3)}
    files = {"config.json": b"{}", "model.safetensors.index.json": index.encode(), **shards}
    server.add(NAME, {**files, "vocab.txt": b"x"})
    assert "model-3.safetensors" not in names(hub_folder(ADDRESS))
    assert {"model-1.safetensors", "model-2.safetensors"} < set(names(hub_folder(ADDRESS)))


def test_a_revision_is_honoured(server):
    old = server.add(NAME, {**MODEL, "vocab.txt": b"old"}, revision="v1.0")
    branch = server.add(NAME, {**MODEL, "vocab.txt": b"branch"}, revision="refs/pr/1")
    for revision, text in (
        ("v1.0", "old"),
        (old, "old"),
        ("refs/pr/1", "branch"),
        (branch, "branch"),
    ):
        folder = hub_folder(f"{ADDRESS}@{revision}")
        assert Path(folder, "vocab.txt").read_text() == text
    assert Path(hub_folder(ADDRESS), "vocab.txt").read_bytes() == MODEL["vocab.txt"]


def test_a_new_version_is_fetched_and_what_stayed_is_not(server):
    first = hub_folder(ADDRESS)
    server.requests.clear()
    assert hub_folder(ADDRESS) == first
    assert len(server.requests) == 1
    server.add(NAME, {**MODEL, "vocab.txt": b"new"})
    assert Path(hub_folder(ADDRESS), "vocab.txt").read_bytes() == b"new"
    assert server.fetched() == ["vocab.txt"]


def test_without_network_what_was_fetched_is_used(server, monkeypatch):
    folder = hub_folder(ADDRESS)
    server.fail("", 503)
    assert hub_folder(ADDRESS) == folder
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert hub_folder(ADDRESS) == folder
    match = r"could not be fetched from http://127\.0\.0\.1:9"
    with pytest.raises(OSError, match=match) as caught:
        hub_folder("hf://org/other")
    assert stands_alone(caught.value)


def test_never_half_a_folder(server):
    server.fail("/cdn/", 500)
    with pytest.raises(OSError, match="the server answered 500"):
        hub_folder(ADDRESS)
    server.fail("", 503)
    with pytest.raises(OSError, match="the server answered 503"):
        hub_folder(ADDRESS)
    server.fail("", "", 0)
    assert names(hub_folder(ADDRESS)) == READ


def test_half_a_folder_of_another_program_s_is_named(server):
    hub.hf_hub_download(NAME, "config.json")
    server.fail("", 503)
    match = r"503.*incomplete: it has none of model.safetensors"
    with pytest.raises(OSError, match=match) as caught:
        hub_folder(ADDRESS)
    assert stands_alone(caught.value)


def test_a_version_that_broke_off_does_not_replace_the_one_before(server):
    folder = hub_folder(ADDRESS)
    server.add(NAME, {**MODEL, "model.safetensors": b"new"})
    server.fail("/cdn/", 500)
    with pytest.raises(OSError, match="500"):
        hub_folder(ADDRESS)
    server.fail("", 503)
    assert hub_folder(ADDRESS) == folder


@pytest.mark.parametrize("way", ["truncate", "stall"])
def test_what_breaks_off_is_fetched_again(server, way):
    server.fail("GET /cdn/", way, 1)
    with patience(way), suppress(OSError):  # old versions of the library leave it to the next call
        hub_folder(ADDRESS)
    assert Path(hub_folder(ADDRESS), "model.safetensors").read_bytes() == MODEL["model.safetensors"]


@pytest.mark.parametrize(
    ("part", "way", "message"),
    [
        ("/api/", "stall", "timed out|ReadTimeout"),
        ("/api/", "truncate", "."),
        ("GET /cdn/", "stall", "timed out|ReadTimeout"),
        ("GET /cdn/", "truncate", "."),
        ("/api/", "RepoNotFound", "private .status 401.*HF_TOKEN"),
        ("/api/", 401, "(private|denied) .status 401.*HF_TOKEN"),
        ("HEAD", "GatedRepo", "access to org/name is restricted .status 403.*HF_TOKEN"),
        ("/api/", "GatedRepo", "access to org/name is restricted .status 403.*HF_TOKEN"),
        ("/cdn/", 403, "access was denied .status 403.*HF_TOKEN"),
        ("/api/", 429, "too many requests"),
        ("/cdn/", 429, "too many requests"),
        ("/api/", 500, "the server answered 500. Try again later, or name a mirror by HF_ENDPOINT"),
        ("HEAD", 500, "the server answered 500"),
    ],
)
def test_failures_say_what_can_be_done(server, part, way, message):
    server.fail(part, way)
    message = f"{ADDRESS} could not be fetched from {server.url}.*{message}"
    with patience(way), pytest.raises(OSError, match=message) as caught:
        hub_folder(ADDRESS)
    assert "place its files in a folder" in str(caught.value)
    assert stands_alone(caught.value) or way == "truncate"
    server.fail("", "", 0)
    assert names(hub_folder(ADDRESS)) == READ


def test_a_mistake_in_the_library_keeps_its_traceback(server, monkeypatch):
    def broken(*words, **options):
        return None.siblings

    monkeypatch.setattr(hub.HfApi, "model_info", broken)
    with pytest.raises(OSError, match="'NoneType' object has no attribute") as caught:
        hub_folder(ADDRESS)
    assert isinstance(caught.value.__cause__, AttributeError)
    hub.hf_hub_download(NAME, "config.json")
    with pytest.raises(OSError, match="incomplete") as caught:
        hub_folder(ADDRESS)
    assert isinstance(caught.value.__cause__, AttributeError)


def test_what_is_not_there_is_named(server):
    with pytest.raises(OSError, match="there is no repository org/nme, or it is private") as caught:
        hub_folder("hf://org/nme")
    assert stands_alone(caught.value)
    with pytest.raises(OSError, match="org/name has no revision 'v9'") as caught:
        hub_folder(f"{ADDRESS}@v9")
    assert stands_alone(caught.value)
    server.add("org/empty", {"README.md": b"x"})
    with pytest.raises(FileNotFoundError, match="hf://org/empty cannot be read: it has no config"):
        hub_folder("hf://org/empty")
    server.add("org/flax", {"config.json": b"{}", "flax_model.msgpack": b"x"})
    with pytest.raises(FileNotFoundError, match=r"has none of model.safetensors, .*tf_model.h5"):
        hub_folder("hf://org/flax")


@pytest.mark.parametrize(
    "address", ["hf://", "hf://a/b/c", "hf://a/../b", "hf://a/b@", "hf://a b/c"]
)
def test_malformed_addresses(server, address):
    with pytest.raises(ValueError, match=r"hf://org/name@revision. Received: 'hf://"):
        hub_folder(address)
    assert server.requests == []


def test_archives_options_are_refused(server):
    with pytest.raises(ValueError, match="HF_ENDPOINT names a mirror of the hub"):
        get_pretrained(ADDRESS, mirror="https://example.org")


@pytest.mark.parametrize("progress", [True, False])
def test_progress_bars_are_as_wanted_and_then_as_before(server, monkeypatch, progress):
    is_off, fetch = hub.utils.are_progress_bars_disabled, hub.hf_hub_download
    seen = set()
    watched = lambda *words, **options: seen.add(is_off()) or fetch(*words, **options)  # noqa: E731
    monkeypatch.setattr(hub, "hf_hub_download", watched)
    get_pretrained(ADDRESS, progress=progress)
    assert seen == {not progress}
    assert not is_off()


def test_the_library_is_asked_for(server, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ImportError, match=r"huggingface_hub: pip install huggingface_hub$"):
        hub_folder(ADDRESS)


def test_commands_by_the_variables_that_the_library_knows(server, tmp_path):
    """The endpoint, the token, and then the cache alone."""
    environment = {
        "HF_ENDPOINT": server.url,
        "HF_TOKEN": "hf_token",
        "HF_HOME": str(tmp_path / "home"),
        "HF_HUB_OFFLINE": "",
    }

    def tokens(**further):
        process = start("tokenize", ADDRESS, environment={**environment, **further})
        return *process.communicate("a\n"), process.returncode

    expected = start("tokenize", DATA).communicate("a\n")[0]
    assert tokens(HF_HUB_OFFLINE="1")[1:] == (
        "keras-bert tokenize: hf://org/name could not be fetched from "
        f"{server.url}: HF_HUB_OFFLINE is set, and the cache does not have it. Unset that "
        "variable. Or place its files in a folder, and pass that folder.\n",
        1,
    )
    assert server.requests == []
    assert tokens() == (expected, "", 0)
    assert "Bearer hf_token" in server.tokens
    server.requests.clear()
    assert tokens(HF_HUB_OFFLINE="1") == (expected, "", 0)
    assert server.requests == []
