"""The reference leaves out nothing and says what docstrings do; CI makes it without warnings."""

import html
import re
import subprocess
import sys

import pytest
from readme_examples import ROOT
from runtimes import once

import keras_bert
import keras_bert.layers
from keras_bert.commands.arguments import COMMANDS

DOCS = ROOT / "docs"
# Plain strings, explained where they are used.
CONSTANTS = re.compile(r"TOKEN_|POOL_|__version__")


@pytest.mark.parametrize("module", [keras_bert, keras_bert.layers], ids=lambda each: each.__name__)
def test_every_public_name_has_its_entry(module):
    entries = []
    for page in DOCS.glob("reference/*.rst"):
        text = page.read_text("utf-8")
        if f"currentmodule:: {module.__name__}\n" in text:
            entries += re.findall(r"^\.\. auto\w+:: (\w+)$", text, re.MULTILINE)
    names = [name for name in module.__all__ if not CONSTANTS.match(name)]
    assert sorted(entries) == sorted(names)


def test_every_page_is_in_the_table_of_contents():
    index = (DOCS / "index.md").read_text("utf-8")
    pages = re.findall(r"^((?:reference|guides)/\S+)$", index, re.MULTILINE)
    found = [*DOCS.glob("reference/*.rst"), *DOCS.glob("guides/*/*.md")]
    paths = [page.relative_to(DOCS).with_suffix("").as_posix() for page in found]
    assert sorted(pages) == sorted(paths)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the pages that Sphinx makes."""
    pytest.importorskip("sphinx", reason="needs the extra docs")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-d", str(folder / "cache")]
    done = subprocess.run(
        [*command, str(DOCS), str(folder)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return folder


def text_of(site, page):
    text = re.sub(r"<[^>]+>", "", (site / page).read_text("utf-8"))
    return re.sub(r"\s+", " ", html.unescape(text))


@once
@pytest.mark.slow
def test_what_is_returned_is_text_and_no_type(site):
    text = text_of(site, "reference/extraction.html")
    returned = "A list with an array for every text, in the order of the texts: (T_i, D) or"
    assert f"Returns: {returned}" in text
    returned = "The batch with the new column: a mapping gets an array"
    assert f"Returns: {returned}" in text
    for page in site.glob("reference/*.html"):
        assert "Return type:" not in text_of(site, page), page.name
    # What follows is still a section of its own.
    assert "Raises: TypeError – If an argument or a text has the wrong type." in text


@once
@pytest.mark.slow
def test_the_command_line_is_shown_whole(site):
    text = text_of(site, "reference/command_line.html")
    for name in COMMANDS:
        assert f"keras-bert {name} [-h]" in text
    assert "-o OUT, --output OUT" in text
    assert "with --pooling sentence: put the folder" in text


@once
@pytest.mark.slow
def test_files_that_guides_link_to_are_copied(site):
    page = (site / "guides/zh/fine-tuning.html").read_text("utf-8")
    copies = re.findall(r'href="([^"]+/entities\.py)"', page)
    assert copies
    assert (site / "guides/zh" / copies[0]).is_file()
