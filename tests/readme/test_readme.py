"""README and guides say the same in both languages, and link to what exists; test_readme_code.py
runs their code.
"""

import re
from pathlib import PurePath

import pytest
from readme_examples import BLOCK, GUIDES, PAGES, ROOT
from runtimes import once

pytestmark = once
IN_BOTH = pytest.mark.parametrize(
    ("english", "chinese"), PAGES.items(), ids=[page.stem for page in PAGES]
)


def without_code(page):
    return BLOCK.sub("", page.read_text("utf-8"))


@IN_BOTH
def test_the_code_is_the_same_in_both_languages(english, chinese):
    codes = [BLOCK.findall(page.read_text("utf-8")) for page in (english, chinese)]
    assert codes[0] == codes[1]


@IN_BOTH
def test_headings_tables_and_paragraphs_are_in_step(english, chinese):
    def shape(page):
        kinds = {"#": r"#+", "|": r"\|.*", "*": r"\*", "<": r"<(!-- /?(parity|families) -|img .*)"}
        lines = [line for line in without_code(page).splitlines() if line]
        return [
            "text"
            if line[0] not in kinds or line.startswith("**")
            # a heading counts with its depth, a table's row with its number of cells
            else (line[0], re.match(kinds[line[0]], line)[0].count(line[0]))
            for line in lines
        ]

    assert shape(english) == shape(chinese)


@IN_BOTH
def test_both_languages_link_to_the_same_pages(english, chinese):
    def targets(page):
        links = re.findall(r"\]\(([^)#]+)", without_code(page))
        pages = (PurePath(link).name for link in links if link.endswith(".md"))
        return sorted(name for name in pages if name not in (english.name, chinese.name))

    assert targets(english) == targets(chinese)


def anchors(page):  # as GitHub makes them
    headings = re.findall(r"^#+ (.*)$", without_code(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize(
    "page", [*PAGES, *PAGES.values()], ids=lambda page: str(page.relative_to(ROOT))
)
def test_links_inside_the_project_lead_somewhere(page):
    text = without_code(page)
    links = re.findall(r"\]\(([^)]+)\)", text) + re.findall(r'src="([^"]+)"', text)
    assert links
    for link in links:
        if not link.startswith("https://"):
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            assert target.exists(), link
            if anchor:
                assert anchor in anchors(target), link


def test_every_guide_is_there_in_both_languages():
    english, chinese = (
        {page.name for page in GUIDES.glob(f"{language}/*")} for language in ("en", "zh")
    )
    assert english == chinese
    assert len(english) >= 12


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_readme_is_short(name):
    assert len((ROOT / name).read_text("utf-8").splitlines()) <= 350
