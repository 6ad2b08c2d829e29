"""Labelled heat maps in a picture file, for the scripts in this folder."""

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
        path: File to write; its suffix determines the format.
        maps: Matrices (T, T), which share one colour scale.
        labels: T labels, for the rows and for the columns.
        titles: A title for each matrix.
        numbers: Whether to write the numbers into the cells as well.
    """
    families, labels = readable(labels)
    columns = math.ceil(math.sqrt(len(maps)))
    rows = math.ceil(len(maps) / columns)
    # In inches; the space for labels is only estimated and cropped when the file is written.
    side = 1.2 + (0.5 if numbers else 0.25) * len(labels) + 0.08 * max(map(len, labels))
    low, high = min(each.min() for each in maps), max(each.max() for each in maps)
    with matplotlib.rc_context({"font.family": families, "font.size": 9}):
        figure = Figure(figsize=(side * columns + 0.8, side * rows), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for index, (axis, values) in enumerate(zip(axes, maps, strict=False)):
            image = axis.imshow(values, vmin=low, vmax=high, cmap="viridis")
            axis.set_title(titles[index], parse_math=False)
            axis.set_xticks(range(len(labels)), labels, rotation=90, parse_math=False)
            axis.set_yticks(range(len(labels)), labels, parse_math=False)
            if numbers:
                write_numbers(axis, values, (low + high) / 2)
        for axis in axes[len(maps) :]:
            axis.remove()
        figure.colorbar(image, ax=figure.axes, shrink=0.8)
        figure.savefig(path, dpi=150, bbox_inches="tight")
    print(f"{path} written.")


def write_numbers(axis, values, middle):
    for row, cells in enumerate(values):
        for column, value in enumerate(cells):
            colour = "white" if value < middle else "black"
            axis.text(column, row, f"{value:.2f}", ha="center", va="center", color=colour)


def readable(labels):
    """Find fonts for all characters of the labels; if there are none, write code points instead.

    matplotlib's default font has no Chinese characters and would draw boxes instead; the font "Last
    Resort" contains only boxes.

    Returns:
        Font families, in the order in which they are searched for a character; and the labels.
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
            f"No installed font has {' '.join(sorted(missing))}: the picture shows code points "
            "instead. Install a font that has them, such as Noto Sans CJK, and delete matplotlib's "
            f"list of fonts in {matplotlib.get_cachedir()}."
        )
    spelled = {ord(each): f"U+{ord(each):04X} " for each in missing}
    return families, [label.translate(spelled) for label in labels]


def characters(path):
    return set(map(chr, font_manager.get_font(path).get_charmap()))
