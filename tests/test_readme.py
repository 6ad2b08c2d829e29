"""The two READMEs say the same, link to what exists, and print what they claim."""

import contextlib
import io
import re

import numpy as np
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
        kinds = {"#": r"#+", "|": r"\|.*", "*": r"\*", "<": r"<!-- /?parity -->"}
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


def printed_claims(code):
    """The comments that state a result: behind a print, or on the lines below it."""
    return re.findall(r"^(?:print\(.*\)  )?# (.*)$", code, re.MULTILINE)


EXAMPLES = [
    code
    for language, code in BLOCK.findall(ENGLISH)
    # those that need no pretrained model
    if language == "python" and "model" not in code and printed_claims(code)
]


@pytest.mark.parametrize("code", EXAMPLES, ids=range(len(EXAMPLES)))
def test_examples_print_what_the_comments_say(code):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {})
    assert printed.getvalue().splitlines() == printed_claims(code)


def test_the_examples_were_found():
    assert len(EXAMPLES) == 6


def test_the_training_example_trains_and_its_model_can_be_built_upon():
    blocks = [code for language, code in BLOCK.findall(ENGLISH) if language == "python"]
    (start,) = [i for i, code in enumerate(blocks) if "compile_model(model)" in code]
    code = "".join(blocks[start : start + 2])
    for long, short in {
        "transformer_num=12": "transformer_num=4",
        "steps_per_epoch=1000": "steps_per_epoch=2",
        "epochs=100": "epochs=1",
        "validation_steps=100": "validation_steps=1",
        "model.fit(": "history = model.fit(",
    }.items():
        assert long in code
        code = code.replace(long, short)
    names = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(code, "README.md", "exec"), names)
    assert np.isfinite(names["history"].history["val_loss"]).all()
    # Four layers of 25, concatenated.
    assert tuple(names["model"].output.shape) == (None, 20, 100)
