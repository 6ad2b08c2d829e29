"""Arguments of all commands: what they take, and what makes no command."""

import argparse

import pytest

from keras_bert.commands.arguments import COMMANDS


def parsed(name, *words):
    parser = argparse.ArgumentParser()
    COMMANDS[name](parser.add_subparsers())
    return parser.parse_args([name, *words])


def test_layers():
    assert parsed("extract", "MODEL", "--layers=-1,-2").layers == [-1, -2]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["extract", "MODEL", "--layers=1,x"], "must be numbers with commas between them"),
        (["extract", "MODEL", "--layers=1,1"], "names a layer twice: 1,1"),
        (["fill", "MODEL", "--top", "0"], "must be a positive whole number, not '0'"),
        (["show", "MODEL", "a"], "the following arguments are required: -o/--output"),
        (["extract", "MODEL", "--cased", "--uncased"], "not allowed with argument --cased"),
    ],
)
def test_what_makes_no_command(words, message, capsys):
    with pytest.raises(SystemExit) as ended:
        parsed(*words)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("name", set(COMMANDS) - {"info", "convert", "run"})
def test_case_is_open_unless_it_is_said(name):
    needed = {"show": ["text", "-o", "page.html"]}.get(name, [])
    assert parsed(name, "MODEL", *needed).cased is None
    assert parsed(name, "MODEL", *needed, "--cased").cased is True
    assert parsed(name, "MODEL", *needed, "--uncased").cased is False
