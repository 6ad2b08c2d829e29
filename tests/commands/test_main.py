"""Exit codes, messages, and what a command imports."""

import contextlib
import importlib.metadata
import os
import sys
import warnings

import pytest
from command_line import start
from runtimes import once

from keras_bert import __version__
from keras_bert.commands import _parse, main

COMMANDS = ("extract", "classify", "fill", "similar", "show", "tokenize", "convert", "info", "run")


@pytest.mark.parametrize("words", [["--help"], *([command, "--help"] for command in COMMANDS)])
def test_help(words, capsys):
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: keras-bert {words[0] if len(words) > 1 else ''}")
    assert len(words) > 1 or all(f"\n    {command} " in text for command in COMMANDS)


@pytest.mark.parametrize(
    ("words", "usage"),
    [(["help"], "[-h]"), (["help", "fill"], "fill [-h]"), (["help", "run", "a"], "run [-h]")],
)
def test_help_may_be_asked_for_as_a_command(words, usage, capsys):
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: keras-bert {usage}")


def test_version(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"keras-bert {__version__}\n"


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["unknown"],
        ["tokenize"],
        ["fill", "model", "--top", "0"],
        ["extract", "model", "--layers", "x"],
        ["extract", "model", "--layers=-1,-1"],
        ["extract", "model", "--pooling", "median"],
        ["convert", "model", "other", "--to", "onnx"],
        ["tokenize", "vocab.txt", "--cased", "--uncased"],
    ],
)
def test_wrong_usage_ends_with_2(words, capsys):
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "usage: keras-bert" in captured.err


def test_a_misspelt_option_shows_the_usage_of_its_command(capsys):
    with pytest.raises(SystemExit) as end:
        main(["extract", "model", "--pooing", "ave"])
    assert end.value.code == 2
    message = capsys.readouterr().err
    assert message.startswith("usage: keras-bert extract ")
    assert message.endswith("error: unrecognized arguments: --pooing ave. Is --pooling meant?\n")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["fill", "tiny", "--top", "3", "I [MASK]"], {"top": 3, "text": ["I [MASK]"]}),
        (["fill", "tiny", "a", "--json", "b"], {"json": True, "text": ["a", "b"]}),
        (["fill", "tiny", "--top", "3", "--", "-x"], {"top": 3, "text": ["-x"]}),
        (["similar", "tiny", "--query", "x", "texts"], {"query": "x", "file": "texts"}),
        (["classify", "tiny", "--top", "2", "-"], {"top": 2, "file": "-"}),
        (["extract", "tiny", "--layers", "-1,-2", "texts"], {"layers": [-1, -2], "file": "texts"}),
        (["extract", "--layers", "-1", "tiny", "--pooling=ave", "texts"], {"file": "texts"}),
        (["tokenize", "--ids", "tiny", "--cased", "texts"], {"ids": True, "cased": True}),
        (["show", "tiny", "a", "-o", "p.html", "b"], {"output": "p.html", "text": ["a", "b"]}),
        (["--debug", "classify", "tiny", "--json", "texts"], {"debug": True, "file": "texts"}),
    ],
)
def test_options_may_stand_anywhere(words, expected):
    found = vars(_parse(words))
    assert found["model"] == "tiny"
    assert found["command"] == next(word for word in words if word in COMMANDS)
    assert found.items() >= expected.items()


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["extract", "tiny", "--pooling", "mean"], "--pooling: is ave meant?"),
        (["similar", "tiny", "--pooling", "cls"], "--pooling: is nsp meant?"),
        (["convert", "tiny", "new", "--to", "hf"], "--to: is huggingface meant?"),
    ],
)
def test_what_other_programs_call_otherwise(words, meant, capsys):
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2
    assert f"error: argument {meant} Received: {words[-1]}\n" in capsys.readouterr().err


def test_one_argument_too_many(capsys):
    with pytest.raises(SystemExit) as end:
        main(["tokenize", "tiny", "--ids", "texts", "more"])
    assert end.value.code == 2
    message = capsys.readouterr().err
    assert message.startswith("usage: keras-bert tokenize ")
    assert message.endswith("error: unrecognized arguments: more\n")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--cased", "fill", "tiny"], "behind its name: keras-bert fill --cased …"),
        (["fill", "--debug", "tiny"], "before the command: keras-bert --debug fill …"),
        (["fill", "tiny", "a", "--debug"], "before the command: keras-bert --debug fill …"),
    ],
)
def test_an_option_in_the_wrong_place(capsys, words, hint):
    with pytest.raises(SystemExit):
        main(words)
    message = capsys.readouterr().err
    assert "error: unrecognized arguments: --" in message
    assert message.endswith(f"{hint}\n")


@pytest.mark.parametrize(("command", "needed"), [("fill", "MODEL"), ("run", "SCRIPT")])
def test_what_may_be_left_out_is_not_called_required(capsys, command, needed):
    with pytest.raises(SystemExit):
        main([command])
    assert capsys.readouterr().err.endswith(f"arguments are required: {needed}\n")


def test_a_script_s_arguments_are_its_own():
    words = ["a", "--graph", "--top", "3", "--", "b"]
    found = _parse(["run", "--eager", "script.py", *words])
    assert (found.script, found.arguments, found.graph) == ("script.py", words, False)


def test_a_misspelt_command(capsys):
    with pytest.raises(SystemExit) as end:
        main(["extrat", "model"])
    assert end.value.code == 2
    assert "there is no command 'extrat'. Is extract meant?" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["info", "nowhere"], ["fill", "nowhere"], ["extract", "nowhere"]]
)
def test_an_error_is_one_message_and_1(words, command):
    code, out, err = command(*words)
    assert (code, out) == (1, "")
    assert err.startswith(f"keras-bert {words[0]}: ")
    assert "nowhere" in err
    assert "Traceback" not in err


def test_debug_shows_where_an_error_is():
    with pytest.raises(FileNotFoundError):
        main(["--debug", "info", "nowhere"])


@pytest.mark.filterwarnings("default")
def test_warnings_are_remarks(command, monkeypatch):
    def warn(options):
        warnings.warn("so it is", stacklevel=1)

    monkeypatch.setattr("keras_bert.commands.info.run", warn)
    assert command("info", "tiny") == (0, "", "keras-bert info: so it is\n")
    with pytest.warns(UserWarning, match="so it is"):
        assert command("--debug", "info", "tiny") == (0, "", "")


def test_the_console_script_is_this_function():
    try:
        scripts = importlib.metadata.distribution("keras-bert").entry_points
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("the package runs from the checkout, without metadata")
    (script,) = [each for each in scripts if each.group == "console_scripts"]
    assert (script.name, script.load()) == ("keras-bert", main)


WITHOUT_KERAS = """
import runpy, sys
sys.argv[0] = {started!r}
try:
    {run}
finally:
    heavy = {{"keras", "tensorflow", "tf_keras", "jax", "torch"}} & set(sys.modules)
    sys.stderr.write(f"heavy: {{sorted(heavy)}}")
"""


@pytest.mark.sampled(2)
@once
@pytest.mark.parametrize("command", ["--help", "tokenize", "info", "convert"])
def test_commands_that_need_no_keras_do_not_import_it(command, google, tmp_path):
    words = {
        "--help": [],
        "tokenize": [google],
        "info": [google],
        "convert": [google, tmp_path / "new", "--to", "huggingface"],
    }[command]
    # As the script that pip installs does it.
    code = WITHOUT_KERAS.format(
        started=os.path.join("bin", "keras-bert"),
        run="from keras_bert.commands import main; sys.exit(main())",
    )
    process = start(command, *words, prefix=("-c", code))
    out, err = process.communicate("a b\n", timeout=60)
    assert process.returncode == 0, err
    assert err.splitlines()[-1] == "heavy: []"
    assert out or command == "convert"


@once
@pytest.mark.parametrize("words", [["--help"], ["extract"], ["extrat"], ["run", "nowhere.py"]])
def test_help_and_wrong_words_take_no_keras_2_either(words):
    prefix = ("-X", "importtime", "-m", "keras_bert")
    process = start(*words, prefix=prefix, environment={"TF_KERAS": "1"})
    _, err = process.communicate(timeout=60)
    imported = {line.rsplit("|")[-1].strip() for line in err.splitlines()}
    assert "keras_bert.commands.arguments" in imported
    assert not imported & {"keras", "tensorflow", "tf_keras"}
    assert words[0] == "run" or "numpy" not in imported


def test_an_interrupted_command_says_what_is_left(command, monkeypatch):
    def interrupted(options):
        raise KeyboardInterrupt("out.part holds what was done")

    monkeypatch.setattr("keras_bert.commands.info.run", interrupted)
    message = "keras-bert: interrupted; out.part holds what was done\n"
    assert command("info", "tiny") == (130, "", message)


def test_messages_of_the_system_name_the_file(command, google, tmp_path):
    code, _, err = command("convert", google, tmp_path / "a", "--to=google", "--keep", "nowhere")
    assert (code, err) == (1, "keras-bert convert: nowhere: No such file or directory\n")


@once
def test_the_package_as_a_module(google):
    process = start("tokenize", google, prefix=("-X", "importtime", "-m", "keras_bert"))
    out, err = process.communicate("a b\n", timeout=60)
    assert out == "[CLS] a b [SEP]\n"
    imported = {line.rsplit("|")[-1].strip() for line in err.splitlines()}
    assert "keras_bert.tokenizer" in imported
    assert not imported & {"keras", "tensorflow", "tf_keras", "jax", "torch"}


@once
@pytest.mark.skipif(sys.platform == "win32", reason="no such pipes")
def test_a_reader_that_leaves_early_ends_the_command_silently(google):
    process = start("tokenize", google)
    process.stdout.close()
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write("a b c\n" * 20000)
    assert process.communicate(timeout=60)[1] == ""
    assert process.returncode == 1
