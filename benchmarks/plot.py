"""Draw a column of a table of results as bars.

    python benchmarks/plot.py benchmarks/results/2026-11-29-extraction.md 1 extraction.svg

The heading of the Markdown file becomes the title; the first column of the table names the bars,
and rows without a number are left out. The number is the column to draw, 1 for the one after the
names. Bars of this package are blue, those of peers grey.
"""

import argparse
import re
import sys
from pathlib import Path

from matplotlib import rcParams
from matplotlib.figure import Figure

OURS = ("Keras 3, ", "tf_keras")


def read_table(path: str, number: int) -> tuple[str, list[list[str]]]:
    """The heading of a Markdown file, and the cells of a table, its head first; 1 is the first."""
    text = Path(path).read_text("utf-8")
    tables = re.findall(r"^\|.*\|\n\|[-|: ]+\|\n(?:\|.*\|\n)+", text, re.M)
    if not 1 <= number <= len(tables):
        sys.exit(f"{path} has {len(tables)} tables. Received: --table {number}")
    head, _, *rows = tables[number - 1].splitlines()
    heading = text.splitlines()[0].lstrip("# ")
    return heading, [
        [cell.strip() for cell in line.strip("|").split("|")] for line in (head, *rows)
    ]


def draw(title: str, table: list[list[str]], column: int, label: str | None) -> Figure:
    """Bars with their numbers, the first row on top."""
    head, *rows = table
    rows = [row for row in rows if re.fullmatch(r"[\d.]+", row[column])]
    if not rows:
        sys.exit(f"The column {head[column]!r} has no numbers.")
    names, numbers = [row[0] for row in rows], [float(row[column]) for row in rows]
    figure = Figure(figsize=(7, 0.9 + 0.35 * len(rows)), layout="constrained")
    axes = figure.add_subplot(xlabel=label or head[column])
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
    parser.add_argument("--table", type=int, default=1, help="number of the table in the file")
    parser.add_argument("--label", help="what the numbers are (default: the head of the column)")
    arguments = parser.parse_args()
    rcParams["svg.hashsalt"] = "results"  # the same table gives the same file, also without a date
    figure = draw(
        *read_table(arguments.results, arguments.table), arguments.column, arguments.label
    )
    metadata = {"Date": None} if arguments.picture.endswith(".svg") else None
    figure.savefig(arguments.picture, metadata=metadata, dpi=150)


if __name__ == "__main__":
    main()
