"""Arguments of commands. They need no Keras."""

import argparse

import pytest
from runtimes import once

from keras_bert.commands import _parser, arguments, convert
from keras_bert.commands.shared import pooling_of
from keras_bert.families.tasks import TASKS

pytestmark = once


@pytest.fixture
def parser():
    parser = argparse.ArgumentParser(exit_on_error=False)
    arguments.add_model_argument(parser)
    arguments.add_texts_argument(parser)
    arguments.add_pooling_arguments(parser)
    arguments.add_tokenizer_arguments(parser)
    parser.add_argument("--top", type=arguments.positive)
    return parser


def test_defaults(parser):
    assert vars(parser.parse_args(["tiny"])) == {
        **{"model": "tiny", "file": "-", "pooling": None, "prompt": None},
        **{"cased": None, "official": False, "top": None},
    }


def test_arguments(parser):
    found = parser.parse_args(
        ["tiny", "texts", "--pooling", "max", "--uncased", "--official", "--top", "3"]
    )
    assert (found.file, found.cased, found.official, found.top) == ("texts", False, True, 3)
    assert pooling_of(found) == "POOL_MAX"
    assert pooling_of(argparse.Namespace(pooling=None)) is None


@pytest.mark.parametrize("word", ["0", "-1", "x"])
def test_numbers_that_are_not_positive(parser, word):
    with pytest.raises(argparse.ArgumentError, match="must be a positive whole number"):
        parser.parse_args(["tiny", f"--top={word}"])


def test_choices_are_what_the_library_has():
    """They are written out, so that --help imports nothing that takes a while."""

    def choices(command, option):
        commands = next(each for each in _parser()._actions if each.dest == "command")
        return commands.choices[command]._option_string_actions[option].choices

    assert choices("classify", "--task") == TASKS
    assert set(choices("convert", "--to")) == set(convert._WRITERS)
