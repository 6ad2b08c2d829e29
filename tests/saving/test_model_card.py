"""Model cards, as the hub's own library reads them."""

import ast
import re

import pytest
from command_line import run
from runtimes import once

from keras_bert import __version__
from keras_bert.saving.model_card import model_card

pytestmark = once
CONFIG = {
    "model_type": "bert",
    "architectures": ["BertForPreTraining"],
    "num_hidden_layers": 2,
    "hidden_size": 128,
    "num_attention_heads": 2,
    "vocab_size": 30522,
    "max_position_embeddings": 512,
}


def read(card):
    """The facts and the text of a card, or of the card in a file."""
    hub = pytest.importorskip("huggingface_hub")
    card = hub.ModelCard(card) if isinstance(card, str) else hub.ModelCard.load(card)
    return card.data.to_dict(), card.text


def test_convert_writes_what_the_hub_reads(tmp_path, capsys, monkeypatch):
    words = ("convert", "tiny", tmp_path / "my-model", "--to", "huggingface")
    assert run(capsys, monkeypatch, *words)[0] == 0
    facts, text = read(tmp_path / "my-model" / "README.md")
    assert facts == {
        "library_name": "transformers",
        "tags": ["bert", "keras-bert"],
        "pipeline_tag": "fill-mask",
    }
    assert text.strip().startswith("# my-model\n")
    assert f"Converted from `tiny` by keras-bert {__version__}" in text
    for code in re.findall(r"```python\n(.+?)```", text, re.DOTALL):
        ast.parse(code)
    run(capsys, monkeypatch, "convert", "tiny", tmp_path / "google", "--to", "google")
    assert not (tmp_path / "google" / "README.md").exists()


@pytest.mark.parametrize(
    ("model_type", "architecture", "auto_class"),
    [
        ("bert", "BertModel", "AutoModel"),
        ("bert", "BertForMaskedLM", "AutoModelForMaskedLM"),
        ("albert", "AlbertForPreTraining", "AutoModelForMaskedLM"),
        ("electra", "ElectraForPreTraining", "AutoModel"),
        ("distilbert", "DistilBertForMaskedLM", "AutoModelForMaskedLM"),
    ],
)
def test_the_head_decides_what_the_model_is_for(model_type, architecture, auto_class):
    config = {**CONFIG, "model_type": model_type, "architectures": [architecture]}
    facts, text = read(model_card("name", "BERT", config, None))
    assert facts.get("pipeline_tag") == {"AutoModel": None}.get(auto_class, "fill-mask")
    assert facts["tags"][0] == model_type
    assert f"{auto_class}.from_pretrained" in text


@pytest.mark.parametrize("name", ["hf://org/name", "hf://org/name@v1.0", "hf://org/name/"])
def test_a_model_of_the_hub_is_named_as_the_base(name):
    facts, text = read(model_card("name", "BERT", CONFIG, name))
    assert facts["base_model"] == "org/name"
    assert f"from `{name}`" in text


@pytest.mark.parametrize(
    ("origin", "shown"),
    [
        ("/secret/folder", " from `folder` by"),
        ("https://me:password@example.org/a.zip?key=1#x", " from `https://example.org/a.zip` by"),
        (None, "Converted by"),
    ],
)
def test_a_card_tells_no_secrets(origin, shown):
    facts, text = read(model_card("name", "BERT", CONFIG, origin))
    assert "base_model" not in facts
    assert shown in text
