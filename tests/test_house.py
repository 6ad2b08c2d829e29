"""What users and packagers rely on outside the code: version, metadata, typing marker, READMEs."""

from pathlib import Path

from keras_bert.version import __version__

ROOT = Path(__file__).resolve().parents[1]


def test_the_version_is_past_the_old_package():
    assert tuple(int(part) for part in __version__.split(".")) > (0, 89, 0)
