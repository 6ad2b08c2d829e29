"""The line at the end of a program."""

from old_scripts import on_keras_2, run_script

pytestmark = on_keras_2


def test_it_comes_at_the_end_of_a_program_that_fails(tmp_path):
    code, output, messages = run_script(tmp_path, "import keras\nprint(1)\nraise ValueError('x')")
    assert code == 1
    assert output == "1\n"
    *_, error, line = messages.splitlines()
    assert error == "ValueError: x"
    assert line.startswith("keras-bert: this program ran on Keras 2 (tf_keras ")


def test_it_says_if_nothing_was_needed(tmp_path):
    code, _, messages = run_script(tmp_path, "import tensorflow")
    assert code == 0
    assert messages.splitlines()[-1].endswith("executing eagerly); put in place for it: nothing.")


def test_it_says_which_name_in_the_source_is_for_graph_mode(tmp_path):
    source = "import tensorflow as tf\nif False:\n    tf.Session()\n"
    reason = "in graph mode, since the script has tensorflow.Session; --eager executes it eagerly)"
    assert reason in run_script(tmp_path, source)[2].splitlines()[-1]
    line = run_script(tmp_path, source, options=("--graph",))[2].splitlines()[-1]
    assert "in graph mode); put in place" in line
