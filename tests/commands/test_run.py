"""The command runs a script as Python would."""

import zipfile

import pytest
from command_line import PACKAGE, run, start
from old_scripts import on_keras_2, results_of, run_script


def test_a_script_that_is_not_there(capsys, monkeypatch):
    code, _, messages = run(capsys, monkeypatch, "run", "nowhere.py")
    assert code == 1
    assert messages == "keras-bert run: there is no script 'nowhere.py'\n"


def test_a_folder_is_no_script(capsys, monkeypatch, tmp_path):
    code, _, messages = run(capsys, monkeypatch, "run", tmp_path)
    assert (code, messages) == (1, f"keras-bert run: {tmp_path} is a folder, not a script\n")


@pytest.mark.parametrize("name", ["sentences.txt", "script.py"])
def test_what_is_no_python_ends_as_python_ends_it(tmp_path, name):
    (tmp_path / name).write_text("Our troops were defeated.\n")
    process = start("run", name, prefix=("-X", "importtime", "-m", "keras_bert"), cwd=tmp_path)
    _, messages = process.communicate(timeout=60)
    imported = {line.rsplit("|")[-1].strip() for line in messages.splitlines()}
    said = [line for line in messages.splitlines() if not line.startswith("import time:")]
    assert process.returncode == 1
    assert not imported & {"tensorflow", "tf_keras"}
    assert said[0] == f'  File "{name}", line 1'
    assert said[-1].startswith("SyntaxError: ")


SCRIPT = """
import sys
import beside
if __name__ == "__main__":
    print(sys.argv[1:], beside.NUMBER, sys.path[0])
    sys.exit(3)
"""


class TestScripts:
    pytestmark = on_keras_2

    @pytest.mark.parametrize("command", [("run",), ("--debug", "run")])
    def test_its_arguments_folder_and_exit_code_are_its_own(self, tmp_path, command):
        (tmp_path / "beside.py").write_text("NUMBER = 7")
        words = ("a", "--layers", "-1,-2", "--help", "--graph")
        prefix = ("-m", "keras_bert", *command)
        code, output, _ = run_script(tmp_path, SCRIPT, *words, prefix=prefix, PYTHONSAFEPATH="")
        assert code == 3
        assert output == f"{list(words)} 7 {tmp_path}\n"

    def test_a_safe_path_stays(self, tmp_path):
        source = "import json, sys\nprint(json.dumps(sys.path))"
        paths, _ = results_of(tmp_path, source, PYTHONSAFEPATH="1")
        assert str(tmp_path) not in paths
        assert str(PACKAGE.parent) in paths

    def test_its_syntax_errors_are_shown(self, tmp_path):
        code, _, messages = run_script(tmp_path, "print 'Python 2'")
        assert code == 1
        assert "SyntaxError: Missing parentheses" in messages

    def test_a_traceback_begins_with_the_script(self, tmp_path):
        source = "def fail():\n    raise OSError('no')\nfail()\n"
        code, _, messages = run_script(tmp_path, source)
        lines = messages.splitlines()
        assert code == 1
        assert lines[0] == "Traceback (most recent call last):"
        assert lines[1] == f'  File "{tmp_path / "script.py"}", line 3, in <module>'
        assert "OSError: no" in lines

    def test_an_error_of_graph_mode_says_how_to_have_it(self, tmp_path):
        source = "from tensorflow import compat, keras\nkeras.layers.Dense(1)\n"
        source += "compat.v1.Session().run('x:0')\n"
        code, _, messages = run_script(tmp_path, source)
        assert code == 1
        assert "Session graph is empty" in messages
        assert "`python -m keras_bert run --graph SCRIPT`" in messages

    def test_an_error_that_eager_execution_may_not_have_says_how_to_have_that(self, tmp_path):
        source = "from keras import backend as K\nfrom keras.layers import Dense, Input\n"
        source += "import numpy as np\nfrom keras.models import Model\n"
        source += (
            "inputs = Input((None,))\noutputs = Dense(5, activation='softmax')(inputs[..., None])\n"
        )
        source += "model = Model(inputs, outputs)\n"
        source += "model.add_loss(K.mean(K.sparse_categorical_crossentropy(inputs, outputs)))\n"
        source += "model.compile('adam')\nmodel.train_on_batch(np.ones((2, 3)), None)\n"
        code, _, messages = run_script(tmp_path, source)
        assert code == 1
        assert "You must feed a value for placeholder tensor" in messages
        assert "`python -m keras_bert run --eager SCRIPT`" in messages
        code, _, messages = run_script(tmp_path, source, options=("--eager",))
        assert code == 0, messages

    @pytest.mark.parametrize(
        "source",
        [
            "import tensorflow as tf\ntf.zeros(2).numpy()",
            "import tensorflow as tf\nfor x in tf.data.Dataset.range(2): pass",
        ],
    )
    def test_errors_of_scripts_for_eager_execution_say_how_to_have_it(self, tmp_path, source):
        code, _, messages = run_script(tmp_path, source, options=("--graph",))
        assert code == 1
        assert "`python -m keras_bert run --eager SCRIPT`" in messages

    def test_archives_have_any_name(self, tmp_path):
        with zipfile.ZipFile(tmp_path / "program", "w") as file:
            file.writestr("__main__.py", "print('from the archive')")
        process = start("run", "program", prefix=("-m", "keras_bert"), cwd=tmp_path)
        output, messages = process.communicate(timeout=600)
        assert output == "from the archive\n", messages


def test_modes_exclude_each_other(capsys, monkeypatch):
    with pytest.raises(SystemExit) as end:
        run(capsys, monkeypatch, "run", "--graph", "--eager", "script.py")
    assert end.value.code == 2
