"""Labelled heat maps in a picture file, for the scripts beside this file."""

import math
import sys
from collections.abc import Sequence

try:
    import matplotlib
    from matplotlib import font_manager
    from matplotlib.figure import Figure
except ImportError:
    sys.exit("The picture needs matplotlib: pip install matplotlib")


def save_heat_maps(path, maps, labels: Sequence[str], titles: Sequence[str], numbers=False):
    """Draw square matrices side by side.

    Args:
        path: File to write; its ending decides the format.
        maps: Matrices (T, T), all on one scale of colours.
        labels: T labels of the rows, and of the columns.
        titles: A title for each matrix.
        numbers: Whether to write the numbers into the cells as well.
    """
    families, labels = readable(labels)
    columns = math.ceil(math.sqrt(len(maps)))
    rows = math.ceil(len(maps) / columns)
    # In inches; the roughly known room for labels is cut to the true one when the file is written.
    side = 1.2 + (0.5 if numbers else 0.25) * len(labels) + 0.08 * max(map(len, labels))
    low, high = min(each.min() for each in maps), max(each.max() for each in maps)
    with matplotlib.rc_context({"font.family": families, "font.size": 9}):
        figure = Figure(figsize=(side * columns + 0.8, side * rows), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for place, (axis, values) in enumerate(zip(axes, maps, strict=False)):
            image = axis.imshow(values, vmin=low, vmax=high, cmap="viridis")
            axis.set_title(titles[place], parse_math=False)
            axis.set_xticks(range(len(labels)), labels, rotation=90, parse_math=False)
            axis.set_yticks(range(len(labels)), labels, parse_math=False)
            if numbers:
                write_numbers(axis, values, (low + high) / 2)
        for axis in axes[len(maps) :]:
            axis.remove()
        figure.colorbar(image, ax=figure.axes, shrink=0.8)
        figure.savefig(path, dpi=150, bbox_inches="tight")
    print(f"{path} shows it.")


def write_numbers(axis, values, middle):
    for row, cells in enumerate(values):
        for column, value in enumerate(cells):
            colour = "white" if value < middle else "black"
            axis.text(column, row, f"{value:.2f}", ha="center", va="center", color=colour)


def readable(labels):
    """Fonts that have all characters of the labels; where there are none, code points instead.

    matplotlib's own font has no Chinese characters, and would draw boxes in their place; the font
    "Last Resort" has boxes only.

    Returns:
        Families of fonts, in the order in which they are asked for a character; and the labels.
    """
    families = ["DejaVu Sans"]
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
            f"No font here has {' '.join(sorted(missing))}: the picture has their code points "
            "instead. Install a font that has them, such as Noto Sans CJK, and delete matplotlib's "
            f"list of fonts in {matplotlib.get_cachedir()}."
        )
    spelled = {ord(each): f"U+{ord(each):04X} " for each in missing}
    return families, [label.translate(spelled) for label in labels]


def characters(path):
    return set(map(chr, font_manager.get_font(path).get_charmap()))
