"""Convert a finished run of demo/pretrain.py into the model folder included in the package.

    python demo/tiny/pack.py RUN keras_bert/datasets/tiny

The folder has Hugging Face's format, since the weights were trained with the exact GELU, and the
weights are stored in float16, which halves the size. The model card in it is written by hand.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    import numpy as np

    from keras_bert.saving.conversion import read_folder, write_hugging_face_folder

    run, target = map(Path, sys.argv[1:])
    files = read_folder(run)

    def halves(naming):
        tensors = {name: each.astype("float16") for name, each in files.tensors(naming).items()}
        if not all(np.isfinite(each).all() for each in tensors.values()):
            sys.exit("Some weights are outside the range of float16.")
        return tensors

    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as temporary:
        folder = Path(temporary) / "tiny"
        write_hugging_face_folder(folder, files._replace(tensors=halves))
        for path in folder.iterdir():
            path.replace(target / path.name)
            print(f"{target / path.name}: {(target / path.name).stat().st_size} bytes")


if __name__ == "__main__":
    main()
