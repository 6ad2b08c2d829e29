"""Long lists of tensor names, made short enough to read in an error."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Sequence

_LAYER_NUMBER = re.compile(r"(?<=layer[._])\d+")
_SEPARATOR = re.compile(r"[./]")
_MOST_GROUPS = 12
_MOST_SUGGESTIONS = 3
_MOST_NAMES_COMPARED = 2000


def listed(items: Sequence[str], separator: str, most: int = 8) -> str:
    """Join the first of some items, and say how many there are beyond."""
    more = f"{separator}and {len(items) - most} more" if len(items) > most else ""
    return separator.join(items[:most]) + more


def with_ranges(names: Iterable[str]) -> list[str]:
    """Write names that differ in the layer's number alone as one, such as `layer_{0-5,7}/x`."""
    numbers_of: dict[str, list[int]] = {}
    for name in names:
        match = _LAYER_NUMBER.search(name)
        pattern = f"{name[: match.start()]}{{}}{name[match.end() :]}" if match else name
        numbers_of.setdefault(pattern, []).extend([int(match[0])] if match else [])
    return [
        pattern.replace("{}", _ranges(numbers)) if numbers else pattern
        for pattern, numbers in numbers_of.items()
    ]


def _ranges(numbers: list[int]) -> str:
    """Write 7 as '7', and 0, 1, 2, 5 as '{0-2,5}'."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    written = ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
    return written if len(numbers) == 1 else f"{{{written}}}"


def describe_missing(missing: Sequence[str], present: Sequence[str], unused: Sequence[str]) -> str:
    """Name every missing tensor, what is there, and which of the unused may be a misspelt one."""
    lines = [f"  {name}" for name in with_ranges(missing)]
    lines.append(f"It holds {summary(present)}.")
    for name in missing[:_MOST_SUGGESTIONS]:
        similar = difflib.get_close_matches(name, unused[:_MOST_NAMES_COMPARED], n=1, cutoff=0.8)
        lines += [f"Is '{other}' meant to be '{name}'?" for other in similar]
    return "\n".join(lines)


def summary(names: Sequence[str]) -> str:
    """Count names by how they begin: '200 tensors: 197 bert/encoder, 3 cls/predictions'."""
    counts = Counter("/".join(_SEPARATOR.split(name)[:2]) for name in names)
    groups = [f"{count} {group}" for group, count in counts.most_common(_MOST_GROUPS)]
    if len(counts) > _MOST_GROUPS:
        groups.append("and others")
    return f"{len(names)} tensors" + (f": {', '.join(groups)}" if groups else "")
