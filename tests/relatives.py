"""Small models of every family, with random weights that make every part count."""

import json

import numpy as np
from model_folders import CONFIG as BERT_CONFIG
from model_folders import WORDS
from safetensors.numpy import save_file

from keras_bert import get_model
from keras_bert.checkpoints import write_tensor_bundle
from keras_bert.families import ALBERT, BERT, DISTILBERT, ELECTRA, ERNIE
from keras_bert.families.weights import to_checkpoint

DISTILBERT_NAMES = {usual: own for own, usual in DISTILBERT.renamed_keys.items()}

# As they stand in files of Hugging Face's, but for names of DistilBERT's own.
CONFIGS = {
    BERT: {**BERT_CONFIG, "model_type": "bert"},
    ALBERT: {
        **BERT_CONFIG,
        "model_type": "albert",
        "num_hidden_layers": 5,
        "embedding_size": 6,
        "num_hidden_groups": 2,
        "inner_group_num": 2,
    },
    ELECTRA: {**BERT_CONFIG, "model_type": "electra", "embedding_size": 6},
    ERNIE: {
        **BERT_CONFIG,
        "model_type": "ernie",
        "type_vocab_size": 4,
        "use_task_id": True,
        "task_type_vocab_size": 3,
    },
    DISTILBERT: {
        **{key: value for key, value in BERT_CONFIG.items() if key != "type_vocab_size"},
        "model_type": "distilbert",
    },
}


def with_random_weights(model, seed=0, scale=0.3):
    """Give a model weights around 0, or 1 for gammas."""
    random = np.random.default_rng(seed)
    for layer in model.layers:
        arrays = [random.normal(0, scale, each.shape) for each in layer.get_weights()]
        if layer.name.endswith("-Norm"):
            arrays[0] += 1
        layer.set_weights(arrays)
    return model


def random_model(family, seed=0, **changes):
    """A model of all heads of a family, of a changed configuration."""
    arguments = family.arguments({**CONFIGS[family], **changes})
    return with_random_weights(get_model(**{**arguments, "seq_len": None, "dropout_rate": 0}), seed)


def write_relative(folder, family, naming="huggingface", without=(), seed=0, **changes):
    """Write a folder as the family's authors or Hugging Face do; returns the model."""
    config = {**CONFIGS[family], **changes}
    model = random_model(family, seed, **changes)
    weights = {layer.name: layer.get_weights() for layer in model.layers if layer.weights}
    weights = {name: each for name, each in weights.items() if not name.startswith(without)}
    tensors = to_checkpoint(weights, naming, family, config)
    folder.mkdir(parents=True)
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n", "utf-8")
    config["hidden_act"] = "gelu"
    if naming == "google":
        config_name, checkpoint_name = family.google_files
        config = {key: value for key, value in config.items() if key != "model_type"}
        write_tensor_bundle(folder / checkpoint_name, tensors)
    else:
        config_name = "config.json"
        config["hidden_act"] = "gelu_new"  # what "gelu" means in Google's
        if family is DISTILBERT:
            config = {DISTILBERT_NAMES.get(key, key): value for key, value in config.items()}
        save_file(tensors, folder / "model.safetensors")
    (folder / config_name).write_text(json.dumps(config), "utf-8")
    return model
