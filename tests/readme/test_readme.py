"""The two READMEs say the same and link to what exists; their code runs in test_readme_code.py."""

import re

import pytest
from readme_examples import BLOCK, ROOT

ENGLISH = (ROOT / "README.md").read_text("utf-8")
CHINESE = (ROOT / "README.zh-CN.md").read_text("utf-8")


def without_code(text):
    return BLOCK.sub("", text)


def test_the_code_is_the_same_in_both_languages():
    assert BLOCK.findall(ENGLISH) == BLOCK.findall(CHINESE)


def test_headings_tables_and_paragraphs_are_in_step():
    def shape(text):
        kinds = {"#": r"#+", "|": r"\|.*", "*": r"\*", "<": r"<!-- /?(parity|families) -->"}
        lines = [line for line in without_code(text).splitlines() if line]
        return [
            "text"
            if line[0] not in kinds
            # a heading counts with its depth, a table's row with its number of cells
            else (line[0], re.match(kinds[line[0]], line)[0].count(line[0]))
            for line in lines
        ]

    assert shape(ENGLISH) == shape(CHINESE)


@pytest.mark.parametrize("text", [ENGLISH, CHINESE], ids=["en", "zh"])
def test_links_inside_the_project_lead_somewhere(text):
    def anchor(heading):  # as GitHub makes them
        return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")

    prose = without_code(text)
    anchors = {anchor(heading) for heading in re.findall(r"^#+ (.*)$", prose, re.MULTILINE)}
    links = re.findall(r"\]\(([^)]+)\)", prose)
    assert len(links) > 10
    for link in links:
        if link.startswith("#"):
            assert link[1:] in anchors
        elif not link.startswith("https://"):
            assert (ROOT / link).exists(), link
