"""Small BERT models in files, with random weights that make every part count."""

import json
import shutil

import numpy as np
from safetensors.numpy import save_file
from tokenizer_texts import PIECES

from keras_bert.checkpoints import write_tensor_bundle
from keras_bert.families import BERT
from keras_bert.families.weights import to_checkpoint
from keras_bert.tokenizer import SentencePieceTokenizer

CONFIG = {
    "vocab_size": 30,
    "hidden_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 20,
    "hidden_act": "gelu",
    "max_position_embeddings": 16,
    "type_vocab_size": 2,
}

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxy"]


def random_weights(config=CONFIG, seed=0, scale=0.5):
    """Layer name -> list of arrays, for encoder and both heads; around 0, or 1 for gammas."""
    hidden, feed_forward = config["hidden_size"], config["intermediate_size"]
    tables = {"Token": "vocab_size", "Position": "max_position_embeddings"}
    shapes = {f"Embedding-{name}": [(config[key], hidden)] for name, key in tables.items()}
    shapes["Embedding-Segment"] = [(config.get("type_vocab_size", 2), hidden)]
    shapes["MLM-Sim"] = [(config["vocab_size"],)]
    shapes["NSP"] = [(hidden, 2), (2,)]
    for name in ("MLM-Dense", "NSP-Dense"):
        shapes[name] = [(hidden, hidden), (hidden,)]
    generator = np.random.default_rng(seed)
    weights = {}
    for row in BERT.weights(config, training=True):
        shape = shapes.get(row.layer)
        if row.layer.endswith("-Norm"):
            shape = [(hidden,), (hidden,)]
        elif row.layer.endswith("SelfAttention"):
            shape = [(hidden, hidden), (hidden,)] * 4
        elif row.layer.endswith("FeedForward"):
            shape = [(hidden, feed_forward), (feed_forward,), (feed_forward, hidden), (hidden,)]
        values = generator.normal(0, scale, shape[row.index]).astype("float32")
        if row.layer.endswith("-Norm") and row.index == 0:
            values += 1
        weights.setdefault(row.layer, []).append(values)
    return weights


def with_untrained_head(weights):
    """The weights with a head for masked words as training begins with it."""
    kernel, bias = weights["MLM-Dense"]
    norm = [np.ones_like(bias), np.zeros_like(bias)]
    head = {"MLM-Dense": [kernel, np.zeros_like(bias)], "MLM-Norm": norm}
    return {**weights, **head, "MLM-Sim": [np.zeros_like(weights["MLM-Sim"][0])]}


def write_google_folder(folder, config=CONFIG, seed=0, vocabulary=None, scale=0.5):
    """bert_config.json, bert_model.ckpt.* and vocab.txt; returns the weights."""
    weights = random_weights(config, seed, scale)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bert_config.json").write_text(json.dumps(config), "utf-8")
    write_tensor_bundle(folder / "bert_model.ckpt", to_checkpoint(weights, "google"))
    (folder / "vocab.txt").write_text("\n".join(vocabulary or WORDS) + "\n", "utf-8")
    return weights


def write_hugging_face_folder(folder):
    """config.json, model.safetensors and tokenizer.json of the model that Google's folder has."""
    folder.mkdir(parents=True, exist_ok=True)
    # Named alike, the two files would mean different forms of GELU.
    (folder / "config.json").write_text(json.dumps({**CONFIG, "hidden_act": "gelu_new"}), "utf-8")
    tensors = to_checkpoint(random_weights(), "huggingface")
    contiguous = {name: np.ascontiguousarray(each) for name, each in tensors.items()}
    save_file(contiguous, folder / "model.safetensors")
    model = {"type": "WordPiece", "vocab": {word: index for index, word in enumerate(WORDS)}}
    (folder / "tokenizer.json").write_text(json.dumps({"model": model}), "utf-8")


def write_cased_pieces(path):
    """A SentencePiece vocabulary for texts that keep case and accents, of the kind of the name."""
    document = json.loads((PIECES / "tokenizer.json").read_text("utf-8"))
    for entry in document["model"]["vocab"][300:]:
        entry[0] = entry[0].upper()
    steps = document["normalizer"]["normalizers"]
    left_out = ("NFKD", "StripAccents", "Lowercase")
    document["normalizer"]["normalizers"] = [each for each in steps if each["type"] not in left_out]
    as_json = path.with_suffix(".json")
    as_json.write_text(json.dumps(document), "utf-8")
    if as_json != path:
        path.write_bytes(SentencePieceTokenizer(as_json)._processor.serialized_model_proto())
        as_json.unlink()


def write_pieces_folder(folder):
    """A model with a SentencePiece vocabulary, as English ALBERT models have."""
    config = {**CONFIG, "vocab_size": 600, "hidden_act": "gelu_new"}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    tensors = to_checkpoint(random_weights(config), "huggingface")
    contiguous = {name: np.ascontiguousarray(each) for name, each in tensors.items()}
    save_file(contiguous, folder / "model.safetensors")
    shutil.copy(PIECES / "tokenizer.json", folder)
