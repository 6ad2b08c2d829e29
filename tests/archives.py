"""Small .zip archives of a model's files."""

import zipfile
from pathlib import Path

FILES = {"bert_config.json": "{}", "vocab.txt": "[PAD]\n", "bert_model.ckpt.index": "index" * 9999}


def make_archive(path, folder="", extra=()):
    """Write the archive; its files lie in `folder`, beside the empty files `extra`."""
    with zipfile.ZipFile(path, "w") as file:
        for name, text in FILES.items():
            file.writestr(f"{folder}{name}", text)
        for name in extra:
            file.writestr(name, "")
    return path


def read(folder):
    return {path.name: path.read_text() for path in Path(folder).iterdir() if path.is_file()}
