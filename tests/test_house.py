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

from keras_bert import __version__

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path(importlib.util.find_spec("keras_bert").origin).parent


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
    # The tools run once, on the newest. So do Ray and ONNX: their bounds and that of PyTorch (see
    # the constraints) are tried by hand.
    tools = ("build", "furo", "myst-parser", "ruff", "sphinx")
    for elsewhere in (*tools, "onnxruntime", "ray", "tf2onnx", "torch"):
        del promised[elsewhere]
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
    assert foreign <= {name.replace("-", "_") for name in listed} | {"jax", "pyarrow", "torch"}


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
