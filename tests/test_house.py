"""What users and packagers rely on outside the code: version, metadata, typing marker, words."""

import ast
import importlib.metadata
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

import keras_bert
from keras_bert import __version__

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path(importlib.util.find_spec("keras_bert").origin).parent


def tracked(folder):
    """Names of the files that git tracks below a folder, or that are there."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", folder], cwd=ROOT, capture_output=True, text=True, check=False
    )
    names = [name for name in listing.stdout.split("\0") if name and (ROOT / name).exists()]
    if not names:
        pytest.skip("not a git checkout")
    return names


def test_one_takes_in_the_package_at_a_glance():
    entries = {name.split("/")[1] for name in tracked("keras_bert")}
    assert len(entries) <= 20


def test_only_the_backend_asks_which_keras_and_which_engine():
    """And the small packages' layers, with what chooses them."""
    asking = re.compile(r"^(ENGINE|TF_KERAS|KERAS_BACKEND)$")
    found = []
    for path in PACKAGE.rglob("*.py"):
        name = path.relative_to(PACKAGE).as_posix()
        if name.startswith(("backend/", "layers/stack/")):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            word = getattr(node, "id", None) or getattr(node, "attr", None)
            if isinstance(node, ast.alias):
                word = node.name
            if isinstance(node, ast.Constant):  # os.environ["TF_KERAS"]
                word = node.value
            if isinstance(word, str) and asking.match(word):
                found.append(f"{name}:{node.lineno}")
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "backend":
                found.append(f"{name}:{node.lineno}")  # keras.backend.backend()
    assert found == []


def test_every_module_has_a_test_of_its_name():
    modules = [name for name in tracked("keras_bert") if name.endswith(".py")]
    names = {name.removeprefix("keras_bert/") for name in modules}
    names -= {name for name in names if name.rpartition("/")[2] in ("__init__.py", "__main__.py")}
    tests = {name.removeprefix("tests/").replace("test_", "") for name in tracked("tests")}
    assert sorted(names - tests) == []


def test_the_two_lists_of_public_names_agree():
    """One for type checkers, one for `__getattr__`."""
    tree = ast.parse((PACKAGE / "__init__.py").read_text("utf-8"))
    checked = {
        alias.asname
        for node in ast.walk(tree)
        if isinstance(node, ast.If)
        for each in node.body
        if isinstance(each, ast.ImportFrom)
        for alias in each.names
    }
    assert checked | {"__version__"} == set(keras_bert.__all__)


def requirements(lines):
    stripped = (line.split("#")[0].strip() for line in lines)
    return {parsed.name: parsed for parsed in map(Requirement, filter(None, stripped))}


def metadata_requirements():
    try:
        return importlib.metadata.requires("keras-bert")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("the package runs from the checkout, without metadata")


def test_the_version_is_past_the_old_package_and_that_of_the_metadata():
    assert Version(__version__) > Version("0.89.0")
    metadata_requirements()
    assert importlib.metadata.version("keras-bert") == __version__
    assert f"\nversion: {__version__}\n" in (ROOT / "CITATION.cff").read_text("utf-8")


def test_type_checkers_find_the_marker():
    assert (PACKAGE / "py.typed").is_file()


def test_requirements_txt_is_what_the_wheel_requires():
    required = [line for line in metadata_requirements() if "extra ==" not in line]
    listed = requirements((ROOT / "requirements.txt").read_text("utf-8").splitlines())
    assert {str(Requirement(line)) for line in required} == set(map(str, listed.values()))


def test_the_oldest_versions_in_ci_are_the_lower_bounds_promised():
    promised = {}
    for line in metadata_requirements():
        requirement = Requirement(line)
        (bound,) = requirement.specifier
        assert bound.operator == ">="
        promised[requirement.name] = bound.version
    oldest = requirements((ROOT / ".ci/constraints-oldest.txt").read_text("utf-8").splitlines())
    pinned = {name: str(requirement.specifier)[2:] for name, requirement in oldest.items()}
    # The tools run once, on the newest. So do Ray and what runs exported models: their bounds and
    # that of PyTorch (see the constraints) are tried by hand.
    tools = ("build", "furo", "myst-parser", "ruff", "sphinx")
    engines = ("ai-edge-litert", "onnxruntime", "openvino", "scipy", "tf2onnx")
    for elsewhere in (*tools, *engines, "ray", "torch"):
        promised.pop(elsewhere, None)
    assert {name: pinned.get(name) for name in promised} == promised


def test_every_third_party_import_is_a_declared_requirement():
    imported = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                imported.add(node.module.split(".")[0])
    foreign = imported - set(sys.stdlib_module_names) - {"keras_bert"}
    listed = requirements((ROOT / "requirements.txt").read_text("utf-8").splitlines())
    assert foreign <= {name.replace("-", "_") for name in listed} | {
        *("huggingface_hub", "jax", "pyarrow", "sentencepiece", "torch")
    }


def test_no_tracked_file_names_a_place_on_the_machine_it_was_written_on():
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True)
    if listing.returncode:
        pytest.skip("not a git checkout")
    # Written in pieces, so that this file does not name them.
    forbidden = re.compile(r"(?<!\w)/(" + "wo" + r"rk|opt|root|home)/|\.\./sha" + "red")
    found = []
    for name in filter(None, listing.stdout.decode().split("\0")):
        try:
            text = (ROOT / name).read_text("utf-8")
        except (UnicodeDecodeError, FileNotFoundError):
            continue  # a binary file, or one removed and not yet committed
        found += [f"{name}: {match[0]}" for match in forbidden.finditer(text)]
    assert found == []
