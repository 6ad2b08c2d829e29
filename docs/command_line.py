"""The directive `commands`: every command of the command line with its options, from the parser."""

import argparse
import re

from docutils import nodes
from docutils.parsers.rst import Directive

from keras_bert.commands import _parser


class Commands(Directive):
    """A section for every command: what it does, its usage, and a list of its arguments."""

    def run(self):
        """Make the sections."""
        parser = _parser()
        (commands,) = (
            action for action in parser._actions if isinstance(action, argparse._SubParsersAction)
        )
        return [_general(parser), *map(_section, commands.choices.items())]


def _section(command):
    name, parser = command
    section = nodes.section("", nodes.title("", name), ids=[f"command-{name}"], names=[name])
    section += _paragraph(parser.description)
    section += nodes.literal_block("", _usage(parser))
    section += _arguments(parser)
    return section


def _usage(parser):
    lines = parser.format_usage().removeprefix("usage: ").splitlines()
    return "\n    ".join(line.strip() for line in lines)


def _general(parser):
    """What holds for all commands."""
    general = nodes.container()
    general += _paragraph(parser.description)
    general += _paragraph(parser.epilog)
    return general


def _arguments(parser):
    listed = nodes.definition_list()
    formatter = parser._get_formatter()
    for action in parser._actions:
        if action.help in (None, argparse.SUPPRESS):
            continue
        term = nodes.term("", "", nodes.literal("", formatter._format_action_invocation(action)))
        text = _paragraph(formatter._expand_help(action))
        listed += nodes.definition_list_item("", term, nodes.definition("", text))
    return listed


def _paragraph(text):
    """A paragraph whose options are code: elsewhere Sphinx makes one dash of two."""
    parts = re.split(r"(--[a-z-]+)", text)
    made = (nodes.literal("", each) if each[:2] == "--" else nodes.Text(each) for each in parts)
    return nodes.paragraph("", "", *made)


def setup(app):
    """Add the directive."""
    app.add_directive("commands", Commands)
    return {"parallel_read_safe": True}
