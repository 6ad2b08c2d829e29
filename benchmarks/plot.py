"""Draw a column of a table of results as bars.

    python benchmarks/plot.py benchmarks/results/2026-11-27-extraction.md 1 extraction.svg

The table is the first one of the Markdown file, whose heading becomes the title; its first column
names the bars, and rows without a number are left out. The number is the column to draw, 1 for the
one after the names. Bars of this package are blue, those of peers grey.
"""

import argparse
import re
import sys
from pathlib import Path

from matplotlib import rcParams
from matplotlib.figure import Figure

OURS = ("Keras 3, ", "tf_keras")


def read_table(path: str) -> tuple[str, list[list[str]]]:
    """The heading of a Markdown file, and the cells of its first table, the table's head first."""
    text = Path(path).read_text("utf-8")
    found = re.search(r"^\|.*\|\n\|[-|: ]+\|\n(?:\|.*\|\n)+", text, re.M)
    if found is None:
        sys.exit(f"{path} has no table.")
    head, _, *rows = found[0].splitlines()
    heading = text.splitlines()[0].lstrip("# ")
    return heading, [
        [cell.strip() for cell in line.strip("|").split("|")] for line in (head, *rows)
    ]


def draw(title: str, table: list[list[str]], column: int) -> Figure:
    """Bars with their numbers, the first row on top."""
    head, *rows = table
    rows = [row for row in rows if re.fullmatch(r"[\d.]+", row[column])]
    if not rows:
        sys.exit(f"The column {head[column]!r} has no numbers.")
    names, numbers = [row[0] for row in rows], [float(row[column]) for row in rows]
    figure = Figure(figsize=(7, 0.9 + 0.35 * len(rows)), layout="constrained")
    axes = figure.add_subplot(xlabel=head[column])
    axes.set_title(title, loc="left", fontsize="medium")
    colours = ["tab:blue" if name.startswith(OURS) else "tab:gray" for name in names]
    bars = axes.barh(names, numbers, color=colours)
    axes.bar_label(bars, [row[column] for row in rows], padding=3)
    axes.invert_yaxis()
    axes.margins(x=0.1)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", help="Markdown file with a table")
    parser.add_argument("column", type=int, help="number of the column to draw")
    parser.add_argument("picture", help="file to write, .svg or .png")
    arguments = parser.parse_args()
    rcParams["svg.hashsalt"] = "results"  # the same table gives the same file, also without a date
    figure = draw(*read_table(arguments.results), arguments.column)
    metadata = {"Date": None} if arguments.picture.endswith(".svg") else None
    figure.savefig(arguments.picture, metadata=metadata, dpi=150)


if __name__ == "__main__":
    main()
