"""Docstrings: the most used names have an example, which says what it prints; types are given."""

import doctest
import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest

import keras_bert
import keras_bert.layers

MOST_USED = (
    *("get_model", "compile_model", "get_base_dict", "gen_batch_inputs", "get_token_embedding"),
    *("get_custom_objects", "build_model_from_config", "load_model_weights_from_checkpoint"),
    *("load_trained_model_from_checkpoint", "load_vocabulary", "Tokenizer", "VocabularyChange"),
    *("load_task_model", "save_task_model", "AdamWarmup", "calc_train_steps"),
    *("get_checkpoint_paths", "get_pretrained"),
    *("extract_embeddings", "extract_embeddings_generator", "Extractor", "get_attention_maps"),
)


def public_objects():
    for module in (keras_bert, keras_bert.layers):
        for name in module.__all__:
            found = getattr(module, name)
            if inspect.isroutine(found) or inspect.isclass(found):
                yield pytest.param(found, id=name)


def examples(found):
    """The examples of a function or of a class and its methods."""
    return [test for test in doctest.DocTestFinder(recurse=True).find(found) if test.examples]


@pytest.mark.parametrize("name", MOST_USED)
def test_the_most_used_names_have_an_example(name):
    assert examples(getattr(keras_bert, name))


@pytest.mark.filterwarnings("ignore:The initializer GlorotNormal is unseeded")
@pytest.mark.parametrize("found", list(public_objects()))
def test_examples_print_what_they_say(found):
    if not found.__module__.startswith("keras_bert."):
        pytest.skip("Keras' own")
    failures = []
    for test in examples(found):
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
        runner.run(test, out=failures.append)
    assert not failures, "".join(failures)


@pytest.mark.parametrize("found", list(public_objects()))
def test_arguments_of_public_functions_have_types(found):
    if not inspect.isfunction(found):
        pytest.skip("types are promised for functions")
    parameters = inspect.signature(found).parameters.values()
    untyped = [each.name for each in parameters if each.annotation is inspect.Parameter.empty]
    assert untyped in ([], ["kwargs"])


WRONG = """
import keras_bert
keras_bert.extract_embeddings("model", 3)
keras_bert.get_model("a vocabulary")
keras_bert.Tokenizer({"a": 0}).encode(3)
keras_bert.load_trained_model_from_checkpoint(1, 2)
keras_bert.calc_train_steps("many", 32, 10)
"""


@pytest.mark.slow
def test_mypy_finds_wrong_arguments(tmp_path):
    pytest.importorskip("mypy", reason="the type checker")
    (tmp_path / "wrong.py").write_text(WRONG)
    (tmp_path / "right.py").write_text(
        "import keras_bert\n"
        'keras_bert.extract_embeddings("model", ["text", ("a", "pair")], "POOL_NSP")\n'
        "keras_bert.get_model(100, seq_len=None, output_layer_num=[0, -1])\n"
        'keras_bert.Tokenizer({"a": 0}).encode("a", max_len=8)\n'
    )
    words = ["--ignore-missing-imports", "--follow-imports=silent", "wrong.py", "right.py"]
    folder = str(Path(keras_bert.__file__).parents[1])
    found_by_itself = "site-packages" in folder
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *words],
        env={**os.environ, **({} if found_by_itself else {"MYPYPATH": folder})},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line.split(":")[:2] for line in done.stdout.splitlines() if ": error: " in line]
    assert sorted({int(number) for file, number in lines if file == "wrong.py"}) == [3, 4, 5, 6, 7]
    assert [line for line in lines if line[0] == "right.py"] == []
