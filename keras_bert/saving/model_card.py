"""The model card that Hugging Face's hub shows: README.md, with facts in YAML at its head.

Format: https://huggingface.co/docs/hub/model-cards. What is not known, such as license and
language, is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .. import __version__
from ..datasets.hub import PREFIX

_CARD = """---
{head}
---

# {title}

{family}: {num_hidden_layers} layers of {hidden_size} features, {num_attention_heads} attention \
heads, {vocab_size} tokens, {max_position_embeddings} positions. Converted{origin} by keras-bert \
{version}: license and training data are those of the model that was converted.

With keras-bert:

```python
from keras_bert import get_checkpoint_paths, load_trained_model_from_checkpoint

paths = get_checkpoint_paths("path/to/this/folder")  # or hf:// and its name on the hub
model = load_trained_model_from_checkpoint(paths.config, paths.checkpoint)
```

With transformers:

```python
from transformers import {auto_class}

model = {auto_class}.from_pretrained("path/to/this/folder")
```
"""


def model_card(title: str, family: str, config: Mapping[str, Any], origin: str | None) -> str:
    """Write the card of a converted model.

    Args:
        title: Name of the model.
        family: Name of its family.
        config: Its configuration, with `model_type`, `architectures` and sizes.
        origin: What the user named the model by that was converted; None if that is not known.
    """
    guesses_words = _guesses_words(config)
    facts = ["library_name: transformers", "tags:", f"- {config['model_type']}", "- keras-bert"]
    if guesses_words:
        facts.append("pipeline_tag: fill-mask")
    if origin and origin.startswith(PREFIX):
        facts.append(f"base_model: {origin.removeprefix(PREFIX).partition('@')[0].rstrip('/')}")
    return _CARD.format(
        head="\n".join(facts),
        title=title,
        family=family,
        version=__version__,
        origin=f" from `{_public(origin)}`" if origin else "",
        auto_class="AutoModelForMaskedLM" if guesses_words else "AutoModel",
        **config,
    )


def _guesses_words(config: Mapping[str, Any]) -> bool:
    """Whether there is a head for masked words, which ELECTRA's discriminators have not."""
    name = config["architectures"][0]
    is_electra = config["model_type"] == "electra"
    return name.endswith("ForMaskedLM") or (name.endswith("ForPreTraining") and not is_electra)


def _public(origin: str) -> str:
    """Name an origin without what others need not know: folders, passwords and keys in URLs."""
    if origin.startswith(PREFIX):
        return origin
    if "://" in origin:
        parts = urlsplit(origin)
        return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"
    return Path(origin).resolve().name
