"""Programs of demo/tune as modules."""

import importlib.util
import sys
from pathlib import Path

import pytest

TUNE = Path(__file__).resolve().parents[1] / "demo/tune"


def load(name):
    """A module of demo/tune/, whose scripts import each other from their own folder."""
    if str(TUNE) not in sys.path:
        sys.path.append(str(TUNE))
    spec = importlib.util.spec_from_file_location(name, TUNE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def run_until(monkeypatch, module, name, main, folder, arguments):
    """Run a script in a folder until it calls a function of a module, before it trains."""

    def stop(*words, **options):
        raise SystemExit("before the training")

    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["script", *arguments])
    monkeypatch.setattr(module, name, stop)
    with pytest.raises(SystemExit, match="before the training"):
        main()
