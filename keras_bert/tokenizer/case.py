"""Whether a model distinguishes upper and lower case."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable


def declared_lower_case(folder: str | os.PathLike[str]) -> bool | None:
    """Read `do_lower_case` of a model folder's `tokenizer_config.json`.

    Args:
        folder: Path of the folder.

    Returns:
        Whether texts are to be lower-cased; None where the folder declares nothing.
    """
    try:
        with open(os.path.join(folder, "tokenizer_config.json"), encoding="utf-8") as reader:
            lower_case = json.load(reader).get("do_lower_case")
    except (OSError, ValueError, AttributeError):
        return None
    return lower_case if isinstance(lower_case, bool) else None


def is_cased(folder: str | os.PathLike[str], vocabulary: Iterable[str]) -> bool:
    """Find out whether texts for a model keep their case.

    What the folder declares holds. Google's folders declare nothing: there a vocabulary that has
    words with capital letters can only serve texts that keep theirs.

    Args:
        folder: Path of the model folder.
        vocabulary: The tokens of its vocabulary.

    Returns:
        Whether they keep it, for the argument `cased` of `Tokenizer`.
    """
    lower_case = declared_lower_case(folder)
    if lower_case is not None:
        return not lower_case
    # Words alone count: `[CLS]`, `<S>` and the like are in official vocabularies of either kind.
    words = (token.removeprefix("##") for token in vocabulary)
    return any(word.isalpha() and word != word.lower() for word in words)
