"""demo/pretrain.py, killed at random moments, ends as if nothing had happened."""

import importlib.util
import multiprocessing
import os
import random
import time
from pathlib import Path

import numpy as np
import pytest
from model_folders import CONFIG, random_weights, write_google_folder, write_hugging_face_folder
from runtimes import once
from safetensors.numpy import load_file, save_file

from keras_bert import (
    PretrainedList,
    extract_embeddings,
    get_checkpoint_paths,
    load_trained_model_from_checkpoint,
)

DEMO = str(Path(__file__).resolve().parents[2] / "demo")
SMALL = {
    "vocabulary": 120,
    "shard": 400,
    "layers": 1,
    "hidden": 8,
    "heads": 2,
    "feed-forward": 16,
    "length": 16,
    "batch": 4,
    "steps": 12,
    "warmup": 4,
    "save-every": 2,
}
OPTIONS = [f"--{name}={value}" for name, value in SMALL.items()]


@pytest.fixture(scope="module")
def processes():
    """Starts processes that have imported what they need: forked from one that did so once."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pretrain"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", DEMO, prepend=os.pathsep)
        patch.syspath_prepend(DEMO)
        import pretrain

        yield lambda *arguments: context.Process(target=pretrain.main, args=(list(arguments),))


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """Invented documents of sentences that follow each other: rhymes on numbers."""
    path = tmp_path_factory.mktemp("text") / "text.txt"
    chooser = random.Random(0)
    words = ["one", "two", "three", "four", "buckle", "my", "shoe", "shut", "the", "door", "."]
    documents = [
        [chooser.choices(words, k=chooser.randint(2, 9)) for _ in "abc"] for _ in range(60)
    ]
    path.write_text("\n\n".join("\n".join(map(" ".join, each)) for each in documents), "utf-8")
    return str(path)


def test_help(processes, capsys):
    import pretrain

    with pytest.raises(SystemExit) as end:
        pretrain.main(["--help"])
    assert end.value.code == 0
    assert "15 % of its" in capsys.readouterr().out


def test_a_run_keeps_the_settings_it_began_with(processes, text, tmp_path):
    import pretrain

    with pytest.raises(SystemExit, match="needs --texts"):
        pretrain.read_settings(tmp_path, {})
    settings = pretrain.read_settings(tmp_path, {"texts": [text], "steps": 7})
    assert settings["steps"] == 7
    assert settings["layers"] == 4
    assert pretrain.read_settings(tmp_path, {}) == settings
    assert pretrain.read_settings(tmp_path, {"texts": [text], "steps": 7}) == settings
    with pytest.raises(SystemExit, match=r"was started with steps 7\. Received: 8"):
        pretrain.read_settings(tmp_path, {"steps": 8})
    with pytest.raises(SystemExit, match=r"was started with initial None\. Received: /"):
        pretrain.read_settings(tmp_path, {"initial": "model"})
    new = {"texts": [text], "initial": "model", "layers": 2, "cased": 1}
    with pytest.raises(SystemExit, match=r"the model determines these options.*'cased', 'layers'"):
        pretrain.read_settings(tmp_path / "new", new)
    settings = pretrain.read_settings(tmp_path / "short", {"texts": [text], "steps": 70})
    assert settings["warmup"] == 7


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--texts=none.txt"], "--texts must be files: .*none.txt"),
        (["--texts=model"], "--texts must be files: .*model"),
        (["--texts=gbk.txt"], r"gbk.txt is not UTF-8 \(line 2: .*iconv -f GBK"),
        (["--texts=blank.txt"], "The texts contain no words"),
        (
            ["--hidden=20", "--heads=3"],
            "--hidden must be a multiple of --heads. Received: 20 and 3",
        ),
        (["--steps=0"], "--steps must be at least 1"),
        (["--dropout=1"], r"--dropout must be from 0.0 to 0.99. Received: 1.0\."),
        (["--initial=none"], "--initial must be a model folder. .*none"),
        (["--initial=model", "--length=40"], "--length must be at most 16, the model's"),
        (["--save-every=0"], "--save-every must be positive"),
    ],
)
def test_a_run_that_cannot_be_begins_nothing(
    processes, text, tmp_path, monkeypatch, options, message
):
    import pretrain

    monkeypatch.chdir(tmp_path)
    write_google_folder(tmp_path / "model")
    (tmp_path / "gbk.txt").write_bytes("ok\n语言\n".encode("gbk"))
    (tmp_path / "blank.txt").write_text(" \n\n")
    with pytest.raises(SystemExit, match=message):
        pretrain.main(["run", "--texts", text, *options])
    assert not (tmp_path / "run").exists()


def test_a_run_can_start_from_a_model_by_name_and_needs_a_folder(processes, text, tmp_path):
    import pretrain

    given = {"texts": [text], "initial": "tiny"}
    settings = pretrain.read_settings(tmp_path / "run", dict(given))
    assert settings["initial"] == PretrainedList.tiny
    assert pretrain.read_settings(tmp_path / "run", dict(given)) == settings
    with pytest.raises(SystemExit, match="RUN must be a folder: "):
        pretrain.read_settings(Path(text), dict(given))


def test_an_interrupted_run_says_how_it_goes_on(processes, text, tmp_path, monkeypatch, capsys):
    pytest.importorskip("tokenizers", reason="needs the extra pretrain")
    import pretrain

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(pretrain, "train", interrupt)
    with pytest.raises(SystemExit) as end:
        pretrain.main([str(tmp_path / "run"), "--texts", text, *OPTIONS])
    assert end.value.code == 130
    assert "interrupted; the same command continues" in capsys.readouterr().err


class Variable:
    def __init__(self, value):
        self.assign(value)

    def assign(self, value):
        self.value = np.array(value)

    def numpy(self):
        return self.value


def test_the_state_before_serves_where_the_last_is_damaged(processes, tmp_path, monkeypatch):
    import pretrain

    variables = [Variable([1.0, 2.0]), Variable(3)]
    monkeypatch.setattr(pretrain, "state_of", lambda model: variables)
    for step in (2, 4, 6):
        variables[1].assign(step)
        pretrain.save_state(tmp_path, None, step, (0, 1, step), [[0.5, 0.25, 0.25]] * step)
    saved = sorted(tmp_path.glob("state-*"))
    assert [path.name for path in saved] == ["state-000000004.npz", "state-000000006.npz"]
    content = saved[-1].read_bytes()
    for damaged in (content[:-30], content.replace(b"\x06\0\0\0", b"\x07\0\0\0"), b""):
        assert damaged != content
        saved[-1].write_bytes(damaged)
        variables[1].assign(0)
        step, position, losses = pretrain.load_state(tmp_path, None)
        assert (step, position.tolist(), len(losses)) == (4, [0, 1, 4], 4)
        assert variables[1].value == 4


def results(run):
    names = ["vocab.txt", "bert_config.json", "losses.tsv"]
    return {path.name: path.read_bytes() for path in run.glob("bert_model.*")} | {
        name: (run / name).read_bytes() for name in names
    }


def kill_when(process, run, pattern, delay):
    """Kill a process so many seconds after it wrote such a file; say whether it was alive."""
    while process.is_alive() and not any(run.glob(pattern)):
        time.sleep(0.002)
    time.sleep(delay)
    alive = process.is_alive()
    process.kill()
    process.join()
    return alive


@pytest.mark.slow
def test_a_killed_run_ends_with_the_weights_of_an_unbroken_one(processes, text, tmp_path):
    pytest.importorskip("tokenizers", reason="needs the extra pretrain")
    unbroken, killed = tmp_path / "unbroken", tmp_path / "killed"
    first = processes(str(unbroken), "--texts", text, *OPTIONS)
    first.start()
    kills, chooser = 0, random.Random(0)
    for pattern in ("shards/*", "shards/000002.npz*", "state-*"):
        process = processes(str(killed), "--texts", text, *OPTIONS)
        process.start()
        kills += kill_when(process, killed, pattern, chooser.uniform(0, 0.05))
    assert kills >= 2  # a slow machine may miss a moment
    last = processes(str(killed))  # the settings are remembered
    last.start()
    for process in (first, last):
        process.join()
        assert process.exitcode == 0
    want = results(unbroken)
    assert results(killed) == want
    assert len(want) == 5
    losses = np.loadtxt(unbroken / "losses.tsv", skiprows=1)
    assert losses.shape == (12, 4)
    assert np.isfinite(losses).all()
    has_matplotlib = importlib.util.find_spec("matplotlib") is not None
    assert (unbroken / "learning_curve.png").exists() == has_matplotlib

    # The folder is a model like any other.
    paths = get_checkpoint_paths(str(unbroken))
    model = load_trained_model_from_checkpoint(paths.config, paths.checkpoint, training=True)
    tokens = len(want["vocab.txt"].split())
    assert model.output_shape == [(None, 16, tokens), (None, 2)]
    (features,) = extract_embeddings(str(unbroken), ["one two, buckle my shoe"])
    assert features.shape[1] == 8


@pytest.fixture(params=["google", "hugging face", "without heads"])
def initial(request, tmp_path):
    """A model to start from, and the layers that it lacks."""
    folder = tmp_path / "initial"
    if request.param == "google":
        write_google_folder(folder)
        return folder, set()
    write_hugging_face_folder(folder)
    if request.param == "without heads":
        tensors = load_file(folder / "model.safetensors")
        kept = {name: each for name, each in tensors.items() if name.startswith("bert.enc")}
        kept |= {name: each for name, each in tensors.items() if name.startswith("bert.emb")}
        save_file(kept, folder / "model.safetensors")
        return folder, {"MLM-Dense", "MLM-Norm", "MLM-Sim", "NSP-Dense", "NSP"}
    return folder, set()


@once
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*the head for masked words has never been trained")
def test_a_run_starts_from_a_model(initial, text, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(DEMO)
    import pretrain

    folder, lacking = initial
    run = tmp_path / "run"
    options = ["--length=16", "--batch=4", "--steps=1", "--warmup=1", "--learning-rate=0"]
    pretrain.main([str(run), "--texts", text, "--initial", str(folder), *options])
    for name in ("vocab.txt", "bert_config.json"):
        assert (run / name).exists()
    paths = get_checkpoint_paths(str(run))
    model = load_trained_model_from_checkpoint(paths.config, paths.checkpoint, training=True)
    # The last test's model is of all 16 positions, so none of the table is lost.
    expected = random_weights(CONFIG)
    for layer, weights in expected.items():
        same = [
            np.array_equal(mine, theirs)
            for mine, theirs in zip(model.get_layer(layer).get_weights(), weights, strict=True)
        ]
        assert all(same) is (layer not in lacking), layer
