"""Models with heads for tasks compute what the programs that wrote their files do.

data/tasks and data/tasks_tf have their makers beside them. All weights are random, so that a
missing bias, a wrong activation or transposition shows.
"""

import json
import shutil
from contextlib import nullcontext

import numpy as np
import pytest
from model_folders import write_google_folder
from runtimes import once
from safetensors.numpy import load_file
from task_folders import TASKS, TASKS_TF, assert_same_logits, changed_folder, makers

from keras_bert import PretrainedList, load_task_model, load_trained_model_from_checkpoint
from keras_bert.backend import keras, models
from keras_bert.checkpoints import CheckpointError, write_tensor_bundle
from keras_bert.families import ConfigError, family_of
from keras_bert.families.weights import to_checkpoint
from keras_bert.loader.task_models import task_settings_of
from keras_bert.loader.text_settings import settings_of

TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
LABELS = {
    "bert-sequence": ["bad", "so-so", "good"],
    "bert-tokens": TAGS,
    "bert-answers": None,
    "albert-sequence": ["LABEL_0"],
    "electra-sequence": ["a", "b"],
    "electra-wide-tokens": TAGS,
    "ernie-answers": None,
    "distilbert-sequence": ["LABEL_0", "LABEL_1"],
}
TF_LABELS = {
    "bert-sequence": ["x", "y", "z"],
    "bert-tokens": ["x", "y", "z"],
    "electra-sequence": ["x", "y", "z"],
    "distilbert-sequence": ["x", "y", "z"],
    "albert-answers": None,
}


@pytest.mark.parametrize(
    ("folder", "labels"),
    [(TASKS / name, labels) for name, labels in LABELS.items()]
    + [(TASKS_TF / name, labels) for name, labels in TF_LABELS.items()],
    ids=[*LABELS, *(f"tensorflow-{name}" for name in TF_LABELS)],
)
def test_logits_and_labels_are_those_of_transformers(folder, labels):
    model, found = load_task_model(folder)
    assert found == labels
    assert_same_logits(model, folder)


@pytest.mark.parametrize("name", ["bert-sequence", "bert-answers"])
def test_a_fixed_length(name):
    model, _ = load_task_model(TASKS / name, 7)
    assert_same_logits(model, TASKS / name)
    assert model.input_shape[0] == (None, 7)


@once
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bert-sequence", None),
        ("albert-sequence", "regression"),
        ("electra-sequence", "multi_label_classification"),
    ],
)
def test_the_problem_type_is_noted(name, expected):
    model, _ = load_task_model(TASKS / name)
    assert task_settings_of(model).problem_type == expected


@once
def test_the_tokenizer_of_the_folder_is_noted():
    model, _ = load_task_model(TASKS / "bert-tokens")
    tokenizer = settings_of(model).tokenizer
    assert tokenizer.encode("b a") == ([2, 6, 5, 3], [0, 0, 0, 0])
    assert tokenizer._official


@pytest.mark.parametrize(
    ("name", "logits"), [("bert-tokens", 5), ("distilbert-sequence", 2), ("electra-sequence", 2)]
)
def test_names_of_tensors_tell_the_task(tmp_path, name, logits):
    folder = changed_folder(tmp_path / "new", name, architectures=None)
    model, _ = load_task_model(folder)
    assert_same_logits(model, folder)
    assert model.output_shape[-1] == logits


@once
def test_a_task_that_is_left_open_is_an_error_and_can_be_given(tmp_path):
    folder = changed_folder(tmp_path / "new", "bert-sequence", architectures=["BertForMaskedLM"])
    with pytest.raises(CheckpointError, match=r"'sequence', 'tokens'.*pass `task`.*classifier"):
        load_task_model(folder)
    model, labels = load_task_model(folder, task="sequence")
    assert_same_logits(model, folder)
    assert labels == LABELS["bert-sequence"]


@once
@pytest.mark.parametrize(
    ("name", "options"),
    [("relatives/electra", {}), ("tasks/bert-answers", {"task": "tokens"})],
)
def test_a_folder_without_a_head_says_what_it_has(name, options):
    folder = TASKS.parent / name
    with pytest.raises(CheckpointError, match=r"has no head for .*It holds \d+ tensors.*`labels`"):
        load_task_model(folder, **options)


@once
def test_a_head_of_another_class_of_transformers_is_not_taken_for_one(tmp_path):
    folder = changed_folder(
        tmp_path / "new", "bert-sequence", architectures=["BertForMultipleChoice"]
    )
    with pytest.raises(CheckpointError, match="names BertForMultipleChoice"):
        load_task_model(folder)


@pytest.mark.parametrize("task", ["sequence", "tokens", "answers"])
def test_a_new_head_on_an_encoder_can_be_trained(task):
    labels = ["start", "end"] if task == "answers" else ["no", "yes", "maybe"]
    folder = TASKS / "electra-sequence"
    with pytest.warns(match="is replaced") if task == "sequence" else nullcontext():
        model, found = load_task_model(folder, task=task, labels=labels)
    shapes = {"sequence": (2, 3), "tokens": (2, 5, 3), "answers": (2, 5)}
    inputs = [np.array([[2, 6, 7, 3, 0], [2, 8, 9, 7, 3]]), np.zeros((2, 5), "int32")]
    outputs = model.predict_on_batch(inputs)
    outputs = outputs if task == "answers" else [outputs]
    assert [tuple(np.asarray(each).shape) for each in outputs] == [shapes[task]] * len(outputs)
    assert found == (None if task == "answers" else labels)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss=[loss, loss] if task == "answers" else loss)
    target = np.zeros(shapes[task][: 2 if task == "tokens" else 1], "int32")
    before = [np.asarray(each) for each in model.get_layer("Encoder-1-FeedForward").get_weights()]
    model.train_on_batch(inputs, [target, target] if task == "answers" else target)
    after = model.get_layer("Encoder-1-FeedForward").get_weights()
    assert not np.allclose(before[0], after[0], atol=1e-9)


@once
def test_a_new_head_has_the_folders_encoder_and_pooler():
    folder = TASKS / "bert-sequence"
    with pytest.warns(match="is replaced"):
        new, _ = load_task_model(folder, task="sequence", labels=["no", "yes"])
    trained, _ = load_task_model(folder)
    for layer in trained.layers:
        if layer.name != "Classifier":
            for mine, others in zip(
                new.get_layer(layer.name).get_weights(), layer.get_weights(), strict=True
            ):
                np.testing.assert_array_equal(mine, others)


@pytest.mark.parametrize("name", ["bert-sequence", "bert-tokens", "bert-answers"])
def test_a_trained_head_is_kept_for_the_labels_that_it_has(name):
    task, labels = name.partition("-")[2], LABELS[name]
    model, found = load_task_model(TASKS / name, task=task, labels=labels or ["start", "end"])
    assert found == labels
    assert_same_logits(model, TASKS / name)


@once
def test_what_is_noted_of_a_trained_head_that_is_kept():
    folder = TASKS / "electra-sequence"
    for given, noted in ((None, "multi_label_classification"), ("regression", "regression")):
        options = {"task": "sequence", "labels": ["a", "b"], "problem_type": given}
        model, _ = load_task_model(folder, **options)
        assert task_settings_of(model).problem_type == noted
    model, labels = load_task_model(
        TASKS / "albert-sequence", task="sequence", labels=LABELS["albert-sequence"]
    )
    assert labels == ["LABEL_0"]


@once
@pytest.mark.parametrize("labels", [["good", "so-so", "bad"], ["bad", "good"]])
def test_a_trained_head_for_other_labels_is_replaced_with_a_warning(labels):
    folder = TASKS / "bert-sequence"
    message = (
        rf"trained head of .*bert-sequence for the labels \['bad', 'so-so', 'good'\] is replaced "
        rf"by a new one for \['{labels[0]}', .*To keep it, leave `labels` out"
    )
    with pytest.warns(match=message) as caught:
        model, found = load_task_model(folder, task="sequence", labels=labels)
    assert caught[0].filename == __file__
    assert found == labels
    new = np.asarray(model.get_layer("Classifier").get_weights()[0])
    trained = load_file(folder / "model.safetensors")["classifier.weight"].T
    assert new.shape != trained.shape or not np.allclose(new, trained)


@once
def test_another_task_needs_no_warning():
    load_task_model(TASKS / "bert-tokens", task="answers", labels=["start", "end"])


@once
def test_a_damaged_head_is_replaced_with_a_warning(tmp_path):
    folder = changed_folder(tmp_path / "new", "bert-sequence", without("classifier.bias"))
    with pytest.warns(UserWarning, match=r"replaced by a new one, as it is damaged: .*lacks "):
        model, _ = load_task_model(folder, task="sequence", labels=LABELS["bert-sequence"])
    assert not model.get_layer("Classifier").get_weights()[1].any()


@once
@pytest.mark.parametrize(
    "labels", [("no", "yes"), np.array(["no", "yes"]), np.array(["no", "yes"], object)]
)
def test_labels_in_any_sequence(labels):
    _, found = load_task_model("tiny", task="sequence", labels=labels)
    assert found == ["no", "yes"]
    assert {type(label) for label in found} == {str}


@once
def test_a_single_label_is_for_what_needs_no_choice():
    for task, options in (
        ("sequence", {}),
        ("tokens", {}),
        ("sequence", {"problem_type": "single_label_classification"}),
    ):
        with pytest.raises(ValueError, match=r"`labels` must be at least two.*\['score'\]"):
            load_task_model("tiny", task=task, labels=["score"], **options)
    for problem_type in ("regression", "multi_label_classification"):
        model, _ = load_task_model(
            "tiny", task="sequence", labels=["score"], problem_type=problem_type
        )
        assert model.output_shape == (None, 1)


@once
def test_trainable_is_about_the_encoder():
    options = {"task": "sequence", "labels": ["no", "yes"]}
    model, _ = load_task_model(PretrainedList.tiny, trainable=False, **options)
    assert {each.name for each in model.layers if each.trainable and each.weights} == {
        "NSP-Dense",
        "Classifier",
    }
    model, _ = load_task_model(PretrainedList.tiny, trainable=["Encoder-2"], **options)
    assert not model.get_layer("Encoder-1-FeedForward").trainable
    assert model.get_layer("Encoder-2-FeedForward").trainable


@once
def test_dropout():
    folder = TASKS / "bert-tokens"
    names = {layer.name for layer in load_task_model(folder, dropout_rate=0.0)[0].layers}
    assert not any("Dropout" in name for name in names)
    model, _ = load_task_model(folder, dropout_rate=0.3)
    assert model.get_layer("Classifier-Dropout").rate == 0.3
    assert model.get_layer("Embedding-Dropout").rate == 0.3


@once
def test_a_google_folder_can_get_a_head(tmp_path):
    write_google_folder(tmp_path / "google")
    model, labels = load_task_model(tmp_path / "google", task="tokens", labels=("O", "B-X"))
    assert (model.output_shape, labels) == ((None, None, 2), ["O", "B-X"])
    with pytest.raises(CheckpointError, match="has no head for a task"):
        load_task_model(tmp_path / "google")


# Google's run_classifier.py and run_squad.py keep both matrices as PyTorch's Linear does.
GOOGLE_HEADS = {
    "bert-sequence": ("classifier", "output_{}"),
    "bert-tokens": ("classifier", "output_{}"),
    "bert-answers": ("qa_outputs", "cls/squad/output_{}"),
    "albert-sequence": ("classifier", "output_{}"),
}
POOLERS = {
    "bert.pooler.dense.weight": "bert/pooler/dense/kernel",
    "bert.pooler.dense.bias": "bert/pooler/dense/bias",
    "albert.pooler.weight": "bert/pooler/dense/kernel",
    "albert.pooler.bias": "bert/pooler/dense/bias",
}


def write_google_task_folder(folder, name, leave_out=()):
    """The model of a folder of data/tasks as Google's code would have written it."""
    config = json.loads((TASKS / name / "config.json").read_text("utf-8"))
    paths = [TASKS / name / each for each in ("config.json", "model.safetensors")]
    encoder = load_trained_model_from_checkpoint(*paths)
    weights = {layer.name: layer.get_weights() for layer in encoder.layers if layer.weights}
    held = load_file(paths[1])
    module, pattern = GOOGLE_HEADS[name]
    tensors = {
        **to_checkpoint(weights, "google", family_of(config)),
        **{POOLERS[key]: each.T for key, each in held.items() if key in POOLERS},
        pattern.format("weights"): held[f"{module}.weight"],
        pattern.format("bias"): held[f"{module}.bias"],
        "global_step": np.int64(3000),
    }
    folder.mkdir()
    shutil.copy(TASKS / name / "vocab.txt", folder)
    known = {key: each for key, each in config.items() if key not in ("architectures", "id2label")}
    if known["hidden_act"] == "gelu":
        known["hidden_act"] = "gelu_python"  # the exact form: "gelu" is the other in Google's code
    (folder / "bert_config.json").write_text(json.dumps(known), "utf-8")
    kept = {key: each for key, each in tensors.items() if key not in leave_out}
    write_tensor_bundle(folder / "model.ckpt-3000", kept)
    shutil.copy(TASKS / name / "outputs.npz", folder)
    return folder


@pytest.mark.parametrize("name", GOOGLE_HEADS)
def test_heads_that_googles_code_has_trained(tmp_path, name):
    folder = write_google_task_folder(tmp_path / "google", name)
    task = name.partition("-")[2]
    model, labels = load_task_model(folder, task=task)
    assert_same_logits(model, folder)
    count = {"tokens": 5, "sequence": len(LABELS[name] or ())}.get(task)
    assert labels == (count and [f"LABEL_{index}" for index in range(count)])


@once
def test_a_google_checkpoint_does_not_tell_classifiers_of_texts_from_those_of_tokens(tmp_path):
    folder = write_google_task_folder(tmp_path / "google", "bert-sequence")
    with pytest.raises(CheckpointError, match=r"'sequence', 'tokens'.*pass `task`"):
        load_task_model(folder)
    folder = write_google_task_folder(tmp_path / "answers", "bert-answers")
    assert load_task_model(folder)[1] is None
    folder = write_google_task_folder(tmp_path / "damaged", "bert-sequence", ["output_bias"])
    with pytest.raises(CheckpointError, match="lacks output_bias of its head"):
        load_task_model(folder, task="sequence")


@pytest.mark.parametrize("name", ["bert-sequence", "bert-answers", "electra-sequence"])
def test_a_saved_model_computes_the_same(tmp_path, name):
    model, _ = load_task_model(TASKS / name)
    model.save(tmp_path / "model.keras")
    assert_same_logits(models.load_model(tmp_path / "model.keras"), TASKS / name)


@once
def test_layers_are_those_of_the_encoder_and_a_head():
    model, _ = load_task_model(TASKS / "bert-sequence")
    names = [layer.name for layer in model.layers]
    assert names[-4:] == ["Extract", "NSP-Dense", "Classifier-Dropout", "Classifier"]
    paths = [TASKS / "bert-sequence" / name for name in ("config.json", "model.safetensors")]
    encoder = load_trained_model_from_checkpoint(*paths, output_len=1)
    assert names[:-4] == [layer.name for layer in encoder.layers]


def without(name):
    return lambda tensors: {key: each for key, each in tensors.items() if key != name}


def replaced(name, shape):
    return lambda tensors: {**tensors, name: np.ones(shape, "float32")}


@once
@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("bert-sequence", without("classifier.bias"), "lacks classifier.bias of its head"),
        ("bert-sequence", without("bert.pooler.dense.weight"), "lacks bert.pooler.dense.weight"),
        ("bert-sequence", replaced("classifier.weight", (3, 9)), r"\(9, 3\), Classifier takes"),
        ("bert-sequence", replaced("classifier.bias", (2,)), r"\(2,\), Classifier takes \(3,\)"),
        ("bert-sequence", replaced("classifier.weight", (3,)), "an output for each label"),
        ("bert-sequence", replaced("classifier.weight", (0, 8)), "an output for each label"),
        ("bert-answers", replaced("qa_outputs.weight", (3, 8)), "2 outputs, start and end"),
        ("electra-sequence", without("classifier.dense.bias"), "lacks classifier.dense.bias"),
        ("distilbert-sequence", without("pre_classifier.weight"), "lacks pre_classifier.weight"),
    ],
)
def test_a_damaged_head(tmp_path, name, change, message):
    folder = changed_folder(tmp_path / "new", name, change)
    with pytest.raises(CheckpointError, match=message):
        load_task_model(folder)


@once
@pytest.mark.parametrize(
    "given",
    [
        {"0": "bad", "1": "good"},
        {"0": "bad", "1": "so-so", "3": "good"},
        {"bad": 0, "so-so": 1, "good": 2},
        ["bad", "so-so", "good"],
    ],
)
def test_labels_that_contradict_the_weights(tmp_path, given):
    folder = changed_folder(tmp_path / "new", "bert-sequence", id2label=given)
    with pytest.raises(ConfigError, match=r"`id2label` in the configuration .* 0 to 2"):
        load_task_model(folder)


@once
def test_labels_without_names(tmp_path):
    folder = changed_folder(tmp_path / "new", "bert-sequence", id2label=None)
    assert load_task_model(folder)[1] == ["LABEL_0", "LABEL_1", "LABEL_2"]


@once
def test_labels_keep_the_order_of_the_outputs(tmp_path):
    given = {str(index): f"label {index}" for index in range(12)}  # "10" sorts before "2"
    folder = changed_folder(
        tmp_path / "new",
        "bert-sequence",
        lambda tensors: {
            **tensors,
            "classifier.weight": np.ones((12, 8), "float32"),
            "classifier.bias": np.ones(12, "float32"),
        },
        id2label=dict(sorted(given.items())),
    )
    assert load_task_model(folder)[1] == [f"label {index}" for index in range(12)]


@once
def test_an_unknown_problem_type(tmp_path):
    folder = changed_folder(tmp_path / "new", "bert-sequence", problem_type="ranking")
    with pytest.raises(ConfigError, match=r"`problem_type` must be one of .*'ranking'"):
        load_task_model(folder)


@once
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"task": "sentence"}, r"`task` must be one of 'sequence', .*'sentence'"),
        ({"labels": ["a", "b"]}, "`task` must be given as well"),
        ({"task": "tokens", "labels": []}, "`labels` must be a list of words"),
        ({"task": "tokens", "labels": "ab"}, "`labels` must be a list of words"),
        ({"task": "tokens", "labels": [1, 2]}, "`labels` must be a list of words"),
        ({"task": "tokens", "labels": {"a", "b"}}, "`labels` must be a list of words"),
        ({"task": "tokens", "labels": np.array([["a", "b"]])}, "`labels` must be a list of words"),
        ({"task": "tokens", "labels": np.array("a")}, "`labels` must be a list of words"),
        ({"task": "tokens", "labels": np.array(["a", "a"])}, "`labels` must differ"),
        ({"task": "tokens", "labels": ["a", "a"]}, "`labels` must differ"),
        ({"task": "answers", "labels": ["a", "b"]}, r"`labels` must be \['start', 'end'\]"),
        ({"problem_type": "regression"}, "`problem_type` is for a new head"),
        (
            {"task": "tokens", "labels": ["a"], "problem_type": "regression"},
            "`problem_type` is for the task 'sequence'",
        ),
        (
            {"task": "sequence", "labels": ["a"], "problem_type": "ranking"},
            "`problem_type` must be one of",
        ),
    ],
)
def test_wrong_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        load_task_model(TASKS / "bert-sequence", **options)


@once
def test_labels_in_the_place_of_seq_len():
    with pytest.raises(TypeError, match=r"`seq_len` must be an integer.*\['a', 'b'\]"):
        load_task_model("tiny", ["a", "b"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "task"),
    [
        (family, task)
        for family in ("bert", "albert", "electra", "electra-wide", "ernie", "distilbert")
        for task in ("sequence", "tokens", "answers")
    ],
)
def test_every_head_of_every_family(tmp_path, family, task):
    pytest.importorskip("transformers")
    make = makers()
    labels = None if task == "answers" else [f"label {index}" for index in range(4)]
    written = make.make_model(family, task, labels)
    make.write_folder(tmp_path, written)
    logits = make.outputs_of(written)
    np.savez(tmp_path / "outputs.npz", tokens=make.TOKENS, segments=make.SEGMENTS, **logits)
    model, found = load_task_model(tmp_path)
    assert found == labels
    assert_same_logits(model, tmp_path)
