"""A diagram of a BERT model: its layers, their output shapes, weights and connections.

    pip install '.[demo]'
    python demo/visualization/vis.py model.png
    python demo/visualization/vis.py MODEL model.svg --training --all

MODEL is a folder in Google's or Hugging Face's format, of which only the configuration is read, or
the URL of an archive that contains one; the default is the small English model of this package.
With --training, the pretraining heads are included. The encoder layers between the first and the
last have the same structure and are drawn as one box, unless --all is given.
(`keras.utils.plot_model` draws models as well; it needs Graphviz, and draws more than a hundred
boxes for BERT-base.)
"""

import argparse
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

try:
    from matplotlib.backend_bases import FigureCanvasBase
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle
except ImportError:
    sys.exit("The picture needs matplotlib: pip install matplotlib")

WIDTH, HEIGHT = 3.6, 0.62  # of a column and a row, in inches
HALF_WIDTH, HALF_HEIGHT = 0.4, 0.32  # of a box, in columns and rows
COLOURS = {"Input": "whitesmoke", "Embedding": "lightyellow", "Encoder": "aliceblue"}
HEAD_COLOUR = "mistyrose"


@dataclass
class Box:
    """A layer of the model, or several drawn as one.

    Attributes:
        name: First line.
        text: Second line.
        parents: Names of the boxes whose outputs it takes.
        weight_num: Number of its weights.
    """

    name: str
    text: str = ""
    parents: list[str] = field(default_factory=list)
    weight_num: int = 0


def as_list(value):
    return list(value) if isinstance(value, (list, tuple)) else [value]


def collect(model, fold=True):
    """The boxes of a model by name, in the order of its layers."""
    encoder_num = sum(layer.name.endswith("-MultiHeadSelfAttention") for layer in model.layers)

    def box_name(layer):
        number = re.match(r"Encoder-(\d+)-", layer.name)
        if fold and encoder_num > 3 and number and 1 < int(number[1]) < encoder_num:
            return f"Encoder-2 … Encoder-{encoder_num - 1}"
        return layer.name

    boxes, source = {}, {}
    for layer in model.layers:
        name = box_name(layer)
        box = boxes.setdefault(name, Box(name))
        for tensor in as_list(layer.input):
            parent = source.get(id(tensor), name)
            if parent != name and parent not in box.parents:
                box.parents.append(parent)
        source.update((id(tensor), name) for tensor in as_list(layer.output))
        box.weight_num += layer.count_params()
        kind = type(layer).__name__ if name == layer.name else f"{encoder_num - 2} encoder layers"
        sizes = ["?" if size is None else str(size) for size in as_list(layer.output)[0].shape]
        box.text = f"{kind}, ({', '.join(sizes)})"
        if box.weight_num:
            box.text += f", {box.weight_num:,} weights"
    return boxes


def arrange(boxes):
    """The position of every box: column and row, both counted from 0."""
    rows = {}
    for name, box in boxes.items():
        rows[name] = 1 + max((rows[parent] for parent in box.parents), default=-1)
    for name, box in boxes.items():
        if not box.parents:  # an input is placed just above the first box that uses it
            rows[name] = min(rows[each.name] for each in boxes.values() if name in each.parents) - 1
    cells = {}
    # Inputs of later layers are placed last, so that the layers of a head are in one column.
    for name in sorted(boxes, key=lambda each: not boxes[each].parents and rows[each] > 0):
        # Below the leftmost of its parents, if that position is free.
        above = [cells[parent][0] for parent in boxes[name].parents if parent in cells]
        column = min(above, default=0)
        while (column, rows[name]) in cells.values():
            column += 1
        cells[name] = column, rows[name]
    return cells


def draw(boxes, cells, title, path):
    columns, rows = (1 + max(each) for each in zip(*cells.values(), strict=True))
    figure = Figure(figsize=(WIDTH * columns, HEIGHT * (rows + 1)))
    axes = figure.add_axes([0, 0, 1, 1])
    axes.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -1.5))
    axes.axis("off")
    axes.text((columns - 1) / 2, -1, title, ha="center", va="center")
    for name, box in boxes.items():
        column, row = cells[name]
        corner, size = (column - HALF_WIDTH, row - HALF_HEIGHT), (2 * HALF_WIDTH, 2 * HALF_HEIGHT)
        colour = COLOURS.get(name.split("-")[0], HEAD_COLOUR)
        axes.add_patch(Rectangle(corner, *size, facecolor=colour, edgecolor="dimgrey", zorder=2))
        text = f"{name}\n{box.text}"
        axes.text(column, row, text, ha="center", va="center", fontsize=7.5, zorder=3)
        for parent in box.parents:
            points = way(*cells[parent], column, row)
            axes.plot(*zip(*points[:-1], strict=True), color="slategrey", zorder=1)
            arrow = {"arrowstyle": "-|>", "color": "slategrey", "shrinkA": 0, "shrinkB": 0}
            axes.annotate("", xy=points[-1], xytext=points[-2], arrowprops=arrow, zorder=1)
    figure.savefig(path, dpi=150)
    print(f"{path} shows {len(boxes)} boxes.")


def way(from_column, from_row, column, row):
    """The points of the line between two boxes."""
    if column > from_column:
        return [(from_column + HALF_WIDTH, from_row)] * 2 + [(column - HALF_WIDTH, row)]
    if column < from_column:
        return [(from_column, from_row + HALF_HEIGHT)] * 2 + [(column + HALF_WIDTH, row)]
    if row == from_row + 1:
        return [(column, from_row + HALF_HEIGHT)] * 2 + [(column, row - HALF_HEIGHT)]
    # Around the boxes in between: residual connections on the right, longer ones on the left.
    side = 1 if row - from_row < 6 else -1
    edge, lane = column + side * HALF_WIDTH, column + side * (HALF_WIDTH + 0.05)
    return [(edge, from_row), (lane, from_row), (lane, row), (edge, row)]


def picture_file(path):
    if Path(path).suffix[1:].lower() not in FigureCanvasBase.filetypes:
        raise argparse.ArgumentTypeError(f"must end in .png, .pdf or .svg. Received: {path}")
    if not Path(path).absolute().parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {Path(path).parent}")
    return path


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", nargs="?", default="tiny")
    parser.add_argument("picture", type=picture_file, help="file to write: .png, .pdf or .svg")
    parser.add_argument("--training", action="store_true", help="include the pretraining heads")
    parser.add_argument("--all", action="store_true", help="draw every encoder layer")
    arguments = parser.parse_args()
    # Imported now, so that --help is answered at once; Keras later still, after mistakes.
    from keras_bert.commands.shared import model_paths

    try:
        config = model_paths(arguments.model)[1].config
    except (OSError, ValueError, ImportError) as error:
        parser.error(f"argument model: {error}")
    from keras_bert import build_model_from_config

    model, _ = build_model_from_config(config, training=arguments.training, seq_len=None)
    boxes = collect(model, fold=not arguments.all)
    title = f"{len(model.layers)} layers, {model.count_params():,} weights"
    draw(boxes, arrange(boxes), title, arguments.picture)


if __name__ == "__main__":
    main()
