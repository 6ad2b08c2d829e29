"""Writes the folders beside it: models of TensorFlow's Model Garden, with random weights.

tf-models-official 2.20.0, TensorFlow 2.21.0 and tf_keras 2.21.0 wrote them:

    TF_USE_LEGACY_KERAS=1 python make_model_garden_files.py

`checkpoint` has a BERT with both heads and an optimizer's state, `albert` the same of an ALBERT.
`saved_model` has another BERT's encoder and `electra` an ELECTRA's, as TensorFlow Hub's models have
them, of whose large `saved_model.pb` only the name is kept. In `outputs.npz` is what each computes
for the tokens in it.
"""

import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf
import tf_keras
from official.legacy.bert import configs
from official.nlp.modeling import layers, models, networks
from official.nlp.tools import export_tfhub_lib

FOLDER = Path(__file__).parent
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxy"]
CONFIG = {
    "vocab_size": len(WORDS),
    "hidden_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 20,
    "hidden_act": "gelu",
    "max_position_embeddings": 16,
    "type_vocab_size": 2,
}
TOKENS = np.array([[2, 5, 6, 7, 3, 0, 0], [2, 9, 3, 10, 11, 12, 3], [2, 3, 0, 0, 0, 0, 0]])
SEGMENTS = np.array([[0] * 7, [0, 0, 0, 1, 1, 1, 1], [0] * 7])
EMBEDDING_SIZE = 6  # of ALBERT and ELECTRA
SIZES = {
    "vocab_size": CONFIG["vocab_size"],
    "hidden_size": CONFIG["hidden_size"],
    "num_attention_heads": CONFIG["num_attention_heads"],
    "max_sequence_length": CONFIG["max_position_embeddings"],
    "type_vocab_size": CONFIG["type_vocab_size"],
}
INPUTS = {
    "input_word_ids": tf.constant(TOKENS, tf.int32),
    "input_mask": tf.constant(TOKENS != 0, tf.int32),
    "input_type_ids": tf.constant(SEGMENTS, tf.int32),
}


def randomize(variables, seed):
    generator = np.random.default_rng(seed)
    for variable in variables:
        variable.assign(generator.normal(float("gamma" in variable.name), 0.1, variable.shape))


def encoder_of_bert():
    return networks.BertEncoderV2(num_layers=2, inner_dim=CONFIG["intermediate_size"], **SIZES)


def encoder_of_albert():
    return networks.AlbertEncoder(
        num_layers=3,
        intermediate_size=CONFIG["intermediate_size"],
        embedding_width=EMBEDDING_SIZE,
        dict_outputs=True,
        **SIZES,
    )


def write_checkpoint(folder, encoder, config_name, config):
    activation = lambda x: tf_keras.activations.gelu(x, approximate=True)  # noqa: E731
    head = layers.ClassificationHead(
        inner_dim=CONFIG["hidden_size"], num_classes=2, name="next_sentence"
    )
    model = models.BertPretrainerV2(encoder, mlm_activation=activation, classification_heads=[head])
    positions = tf.tile(tf.range(TOKENS.shape[1])[None], (len(TOKENS), 1))
    inputs = {**INPUTS, "masked_lm_positions": positions}
    model(inputs)
    randomize(model.variables, 7)
    outputs = model(inputs)
    optimizer = tf_keras.optimizers.SGD(momentum=0.9)
    optimizer.build(model.trainable_variables)
    randomize(optimizer.variables[2:], 8)
    folder.mkdir()
    with tempfile.TemporaryDirectory() as temporary:
        checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer)
        prefix = Path(checkpoint.save(f"{temporary}/bert_model.ckpt"))
        for file in prefix.parent.glob(f"{prefix.name}.*"):
            shutil.copy(file, folder)
    (folder / config_name).write_text(json.dumps(config, indent=1) + "\n", "utf-8")
    np.savez(
        folder / "outputs.npz",
        tokens=TOKENS,
        segments=SEGMENTS,
        hidden=np.stack([each.numpy() for each in outputs["encoder_outputs"]]),
        prediction_logits=outputs["mlm_logits"].numpy(),
        seq_relationship_logits=outputs["next_sentence"].numpy(),
    )


def write_saved_model(folder, config, seed):
    config = configs.BertConfig.from_dict(config)
    _, encoder = export_tfhub_lib._create_model(bert_config=config, with_mlm=False)
    randomize(encoder.variables, seed)
    outputs = encoder(INPUTS)
    with tempfile.TemporaryDirectory() as temporary:
        vocabulary = Path(temporary, "vocab.txt")
        vocabulary.write_text("\n".join(WORDS) + "\n", "utf-8")
        prefix = tf.train.Checkpoint(model=encoder, encoder=encoder).save(f"{temporary}/encoder")
        export_tfhub_lib.export_model(
            str(folder),
            bert_config=config,
            model_checkpoint_path=prefix,
            with_mlm=False,
            vocab_file=str(vocabulary),
            do_lower_case=True,
        )
    for name in ("keras_metadata.pb", "fingerprint.pb"):
        (folder / name).unlink(missing_ok=True)
    (folder / "saved_model.pb").write_bytes(b"")
    np.savez(
        folder / "outputs.npz",
        tokens=TOKENS,
        segments=SEGMENTS,
        hidden=np.stack([each.numpy() for each in outputs["encoder_outputs"]]),
    )


def main():
    for name in ("checkpoint", "albert", "saved_model", "electra"):
        shutil.rmtree(FOLDER / name, ignore_errors=True)
    narrow = {**CONFIG, "embedding_size": EMBEDDING_SIZE}
    write_checkpoint(FOLDER / "checkpoint", encoder_of_bert(), "bert_config.json", CONFIG)
    write_checkpoint(
        *(FOLDER / "albert", encoder_of_albert(), "albert_config.json"),
        {**narrow, "num_hidden_layers": 3},
    )
    write_saved_model(FOLDER / "saved_model", CONFIG, 9)
    write_saved_model(FOLDER / "electra", narrow, 10)


if __name__ == "__main__":
    main()
