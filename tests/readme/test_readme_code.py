"""Every Python block and every command of README and guides, each page from first to last.

Both languages hold the same code (see test_readme.py). It runs as printed but for what `STAND_INS`
exchanges: models that would be downloaded, and numbers of steps.
"""

import contextlib
import io
import os
import re
import shlex

import numpy as np
import pytest
from model_folders import CONFIG, write_google_folder
from readme_examples import BLOCK, PAGES, ROOT, run
from runtimes import KERAS_3, dtype_policy
from sentence_folders import write_sentence_folder
from task_folders import TASKS

from keras_bert.backend import keras
from keras_bert.commands import main

SENTENCES = "all work and no play makes jack a dull boy ~ the capital of france is . good weather"
CHARACTERS = "语言模型数学是利用符号研究数量、结构变化以及空间等概念的一门学科"
WORDS = [
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "ke", "##ras", "be", "##rt"),
    *dict.fromkeys([*SENTENCES.split(), *CHARACTERS]),
]
# Where base models have twelve layers and 768 features.
SIZES = {
    **CONFIG,
    "vocab_size": len(WORDS),
    "hidden_size": 24,
    "num_hidden_layers": 4,
    "num_attention_heads": 12,
    "max_position_embeddings": 64,
}
CLAIMS = {", that is 128 * 2 * 2": "", "768": "24", "384": "12"}
STAND_INS = {
    '"chinese_base"': '"MODEL"',
    "hf://sentence-transformers/all-MiniLM-L6-v2": "SENTENCES",
    "hf://google-bert/bert-base-chinese": "MODEL",
    "PretrainedList.multi_cased_base": '"MODEL"',
    "transformer_num=12": "transformer_num=4",
    "steps_per_epoch=1000": "steps_per_epoch=1",
    "validation_steps=100": "validation_steps=1",
    "epochs=100": "epochs=1",
    "batch_size=32, epochs=3": "batch_size=32, epochs=1",
    "model.fit(\n": "history = model.fit(\n",
}
# Blocks that test_pipelines.py runs, where Grain is installed and with enough texts; engines, whose
# worker test_extractor.py and test_ray.py call as they do; export, which test_export.py does;
# devices, of which distributed_jax.py has eight; and old scripts, of which test_run.py has some.
ELSEWHERE = (
    "PyDataset",
    "tf.data.Dataset",
    "import grain",
    "import ray",
    "spark.read",
    "import onnxruntime",
    "layout_map",
    "keras_2019",
)
# What the reader is taken to have.
GIVEN = {
    "texts": ["语言", "数学", "all play", "good weather"] * 32,
    "labels": np.array([0, 1, 1, 0] * 32),
}


def blocks(page):
    """(language, code, whether it is for Keras 3 only), in the order of the text."""
    found = []
    text = page.read_text("utf-8")
    for match in BLOCK.finditer(text):
        paragraph = text[: match.start()].rstrip().rsplit("\n", 1)[-1]
        found.append((match[1], match[2], "(Keras 3)" in paragraph))
    return found


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working directory, with what the examples name."""
    monkeypatch.chdir(tmp_path)
    write_google_folder(tmp_path / "MODEL", SIZES, vocabulary=WORDS)
    write_sentence_folder(tmp_path / "SENTENCES")
    (tmp_path / "sentences.txt").write_text("all work and no play\ngood weather\n", "utf-8")
    return tmp_path


def with_stand_ins(code):
    for name, stand_in in STAND_INS.items():
        code = code.replace(name, stand_in)
    return code


WITH_PYTHON = [page for page in PAGES if any(block[0] == "python" for block in blocks(page))]


def test_the_first_example_runs_as_it_stands():
    code = blocks(ROOT / "README.md")[0][1]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        run(code, {})
    check_claims(code, printed.getvalue())


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_PYTHON, ids=lambda page: page.stem)
@pytest.mark.filterwarnings("ignore:Most tokens")  # stand-ins have few words
def test_python_blocks_run_one_after_the_other(page, folder):
    names = dict(GIVEN)
    with dtype_policy("float32"):
        for language, code, keras_3_only in blocks(page):
            elsewhere = any(mark in code for mark in ELSEWHERE)
            if language != "python" or elsewhere or (keras_3_only and not KERAS_3):
                continue
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                run(with_stand_ins(code), names)
            check_claims(code, printed.getvalue())
            if "set_dtype_policy" in code:
                assert keras.config.dtype_policy().name == "mixed_bfloat16"
                keras.config.set_dtype_policy("float32")
    if "history" in names:
        assert np.isfinite(names["history"].history["val_loss"]).all()


def check_claims(code, printed):
    """Compare what was printed with comments behind a print, or on the lines below it."""
    found = re.finditer(r"^ *(?:print\(.*\)  # (.*)|# ([\[(\d].*))$", code, re.MULTILINE)
    claims = [match[1] or match[2] for match in found]
    for number, small in CLAIMS.items():
        claims = [claim.replace(number, small) for claim in claims]
    lines = [line for line in printed.splitlines() if line in claims]
    assert lines == claims  # between them is Keras' progress


COMMANDS = sorted(
    {
        line
        for page in PAGES
        for language, code, _ in blocks(page)
        if language == "bash"
        for line in code.splitlines()
        if line.startswith("python -m keras_bert ") and " run " not in line
    }
)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("line", COMMANDS, ids=[each.split()[3] for each in COMMANDS])
def test_commands_run(line, folder, capsys):
    classifier = TASKS.joinpath("bert-sequence").as_posix()
    line = with_stand_ins(line).replace("my_classifier", classifier)
    assert main(shlex.split(line)[3:]) == 0, capsys.readouterr().err
    output = capsys.readouterr().out
    created = set(os.listdir(folder)) - {"MODEL", "SENTENCES", "sentences.txt"}
    assert output or created


def test_other_commands_name_files_that_exist():
    code = "".join(
        code for page in PAGES for language, code, _ in blocks(page) if language == "bash"
    )
    scripts = set(re.findall(r"(?:demo|benchmarks)/\S+\.py", code))
    assert len(scripts) > 3
    assert not [name for name in scripts if not (ROOT / name).exists()]


def test_the_blocks_and_commands_were_found():
    languages = [block[0] for page in PAGES for block in blocks(page)]
    assert languages.count("python") > 40
    assert len(COMMANDS) > 8
