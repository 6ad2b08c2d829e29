"""Labelled heat maps in a picture file, for the scripts in this folder."""

import math
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

try:
    import matplotlib
    from matplotlib import font_manager
    from matplotlib.backend_bases import FigureCanvasBase
    from matplotlib.figure import Figure
    from PIL import Image
except ImportError:
    sys.exit("The picture needs matplotlib: pip install matplotlib")


LABEL_WIDTH = 48  # in Latin letters; a Chinese character is as wide as two


def check_picture(parser, path) -> None:
    """End with an error of the parser where no picture can be written to this path."""
    if Path(path).suffix[1:].lower() not in FigureCanvasBase.filetypes:
        parser.error(f"argument picture: must end in .png, .pdf or .svg. Received: {path}")
    if not Path(path).absolute().parent.is_dir():
        parser.error(f"argument picture: there is no folder {Path(path).parent}")


def save_attention_maps(path, maps, labels: Sequence[str], titles: Sequence[str]):
    """Draw attention maps side by side, with the tokens at rows and columns.

    Args:
        path: File to write; its suffix determines the format.
        maps: Probabilities (T, T) with which each token, a row, attends to the others; they share
            one colour scale.
        labels: T tokens, for the rows and for the columns.
        titles: A title for each matrix.
    """
    families, labels = readable(map(shortened, labels))
    columns = math.ceil(math.sqrt(len(maps)))
    rows = math.ceil(len(maps) / columns)
    # In inches; the space for labels is only estimated and cropped when the file is written.
    side = 1.2 + 0.25 * len(labels) + 0.08 * max(map(len, labels))
    high = max(each.max() for each in maps)
    with matplotlib.rc_context({"font.family": families, "font.size": 9}):
        figure = Figure(figsize=(side * columns + 0.8, side * rows), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for index, (axis, values) in enumerate(zip(axes, maps, strict=False)):
            image = axis.imshow(values, vmin=0, vmax=high, cmap="Blues")
            axis.set_title(titles[index], parse_math=False)
            axis.set_xticks(range(len(labels)), labels, rotation=90, parse_math=False)
            axis.set_yticks(range(len(labels)), labels, parse_math=False)
        for axis in axes[len(maps) :]:
            axis.remove()
        figure.supxlabel("attended to")
        figure.supylabel("token that attends")
        figure.colorbar(image, ax=figure.axes, shrink=0.8, label="attention probability")
        save(figure, path)


def save_similarities(path, values, labels: Sequence[str], title: str):
    """Draw how similar texts are, with the numbers, as a table whose columns are numbered.

    Args:
        path: File to write; its suffix determines the format.
        values: Matrix (N, N). The diagonal, where a text meets itself, is left empty.
        labels: The N texts; long ones are shortened.
        title: What the numbers are.
    """
    families, labels = readable(map(shortened, labels))
    count = len(labels)
    values = np.ma.masked_array(values, np.eye(count, dtype=bool))
    low, high = values.min(), values.max()
    cell = 0.48  # in inches
    with matplotlib.rc_context({"font.family": families, "font.size": 10}):
        figure = Figure(figsize=(cell * count, cell * count))
        axis = figure.add_axes((0, 0, 1, 1))
        axis.imshow(values, vmin=low, vmax=high + (high == low), cmap="Blues")
        axis.set_title(title, loc="left", color="dimgray", fontsize=9, pad=24, parse_math=False)
        axis.set_xticks(range(count), range(1, count + 1))
        numbered = [f"{label}   {number}" for number, label in enumerate(labels, start=1)]
        axis.set_yticks(range(count), numbered, parse_math=False)
        axis.tick_params(length=0, labeltop=True, labelbottom=False)
        axis.spines[:].set_visible(False)
        # White lines between the cells.
        axis.set_xticks(np.arange(1, count) - 0.5, minor=True)
        axis.set_yticks(np.arange(1, count) - 0.5, minor=True)
        axis.grid(which="minor", color="white", linewidth=2)
        axis.tick_params(which="minor", length=0)
        for (row, column), value in np.ndenumerate(values):
            if row != column:
                colour = "white" if value > (low + high) / 2 else "black"
                axis.text(column, row, f"{value:.2f}", ha="center", va="center", color=colour)
        save(figure, path)


def save(figure, path):
    figure.savefig(path, dpi=150, bbox_inches="tight")
    if str(path).endswith(".png"):  # 256 colours are enough, and take a third of the bytes
        with Image.open(path) as picture:
            fewer = picture.convert("RGB").quantize(256)
        fewer.save(path, optimize=True)
    print(f"{path} written.")


def shortened(label):
    """Cut a label that is wider than LABEL_WIDTH, and put it on one line."""
    label = " ".join(label.split())
    width = 0
    for index, character in enumerate(label):
        width += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if width > LABEL_WIDTH:
            return f"{label[:index].rstrip()}…"
    return label


def readable(labels: Iterable[str]):
    """Find fonts for all characters of the labels; if there are none, write code points instead.

    matplotlib's default font has no Chinese characters and would draw boxes instead; the font "Last
    Resort" contains only boxes.

    Returns:
        Font families, in the order in which they are searched for a character; and the labels.
    """
    labels, families = list(labels), ["DejaVu Sans"]
    missing = set("".join(labels)) - characters(font_manager.findfont("DejaVu Sans"))
    if missing:
        for font in sorted(font_manager.fontManager.ttflist, key=lambda each: each.style):
            if "lastresort" in font.name.replace(" ", "").lower():
                continue
            if found := missing & characters(font.fname):
                families.append(font.name)
                missing -= found
    if missing:
        print(
            f"No installed font has {' '.join(sorted(missing))}: the picture shows code points "
            "instead. Install a font that has them, such as Noto Sans CJK, and delete matplotlib's "
            f"list of fonts in {matplotlib.get_cachedir()}."
        )
    spelled = {ord(each): f"U+{ord(each):04X} " for each in missing}
    return families, [label.translate(spelled) for label in labels]


def characters(path):
    return set(map(chr, font_manager.get_font(path).get_charmap()))
