"""Descriptions in folders of sentence-transformers, sound, old, new and damaged."""

import json

import pytest
from runtimes import once
from sentence_folders import TYPES, write, write_sentence_folder

from keras_bert import ConfigError
from keras_bert.checkpoints.paths import get_checkpoint_paths, is_sentence_folder
from keras_bert.families.sentence_folder import read_sentence_folder

pytestmark = once


@pytest.fixture
def folder(tmp_path):
    write_sentence_folder(tmp_path / "model", dense=[(7, "Tanh")])
    return tmp_path / "model"


@pytest.mark.parametrize(
    ("config", "poolings"),
    [
        ({"pooling_mode": "lasttoken"}, ("lasttoken",)),
        ({"pooling_mode": ["mean", "cls"]}, ("mean", "cls")),
        ({"pooling_mode": "mean_sqrt_len_tokens"}, ("mean_sqrt_len",)),
        ({"pooling_mode_max_tokens": True, "pooling_mode_cls_token": True}, ("cls", "max")),
        ({"word_embedding_dimension": 12}, ("mean",)),  # what they take it for
    ],
)
def test_poolings_old_and_new(folder, config, poolings):
    write(folder / "1_Pooling", config)
    assert read_sentence_folder(folder).poolings == poolings


def test_prompts_may_be_left_out_of_the_pooling(folder):
    write(folder / "1_Pooling", {"pooling_mode": "mean", "include_prompt": False})
    assert not read_sentence_folder(folder).pools_prompts


@pytest.mark.parametrize(
    ("length", "declared", "expected"),
    [(10, 5, 10), (None, 5, 5), (None, 10**30, 2**31), (None, None, None)],
)
def test_the_maximal_length(folder, length, declared, expected):
    write(folder, {"max_seq_length": length}, "sentence_bert_config.json")
    if declared is not None:
        write(folder, {"model_max_length": declared}, "tokenizer_config.json")
    assert read_sentence_folder(folder).max_length == expected


def test_an_older_name_of_the_maximal_length(folder):
    write(folder, {}, "sentence_bert_config.json")
    write(folder, {"max_len": 7}, "tokenizer_config.json")
    assert read_sentence_folder(folder).max_length == 7


V6 = {
    "transformer_task": "feature-extraction",
    "modality_config": {"text": {"method": "forward", "method_output_name": "last_hidden_state"}},
    "module_output_name": "token_embeddings",
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({}, None),
        ({"tokenizer_args": {"use_fast": True}, "query_expansion": None}, None),
        ({"transformer_task": "fill-mask"}, "`transformer_task` .*Received: 'fill-mask'"),
        ({"module_output_name": "sentence_embedding"}, "must be 'token_embeddings'"),
        ({"modality_config": {"text": {"method": "pool"}}}, "`text in modality_config`"),
        ({"query_expansion": {"length": 8}}, "`query_expansion` .*changes the tokens"),
        ({"tokenizer_args": {"do_lower_case": False}}, "`tokenizer_args` .*tokenizer_config"),
        ({"processor_kwargs": {"text": {"strip_accents": False}}}, "`processor_kwargs` "),
    ],
)
def test_what_version_6_says_of_the_encoder(folder, change, message):
    write(folder, V6 | change, "sentence_bert_config.json")
    if message is None:
        assert read_sentence_folder(folder).max_length is None
        return
    with pytest.raises(ConfigError, match=message):
        read_sentence_folder(folder)


def test_a_list_of_modules_comes_before_a_configuration(tmp_path):
    write_sentence_folder(tmp_path / "model", inside="0_Transformer")
    write(tmp_path / "model", {"__version__": "1.0.0"})  # as version 1 wrote it
    config, checkpoint, _ = get_checkpoint_paths(tmp_path / "model")
    assert config == str(tmp_path / "model" / "0_Transformer" / "config.json")
    assert checkpoint.startswith(str(tmp_path / "model" / "0_Transformer"))


@pytest.mark.parametrize(
    ("kinds", "message"),
    [
        (["models.Transformer"], "must list Transformer, Pooling"),
        (["models.Pooling", "models.Transformer"], "must list Transformer, Pooling"),
        ([], "Received: nothing"),
        (["models.Transformer", "models.Pooling", "models.LSTM"], r"Received: '.*models\.LSTM'"),
        (["models.Transformer", "models.Pooling", "models.Pooling"], "must list Transformer"),
        (["models.Transformer", "models.Router"], r"does not have.*Received: '.*models\.Router'"),
    ],
)
def test_modules_that_cannot_be(folder, kinds, message):
    listed = [{"path": "1_Pooling", "type": f"sentence_transformers.{kind}"} for kind in kinds]
    (folder / "modules.json").write_text(json.dumps(listed))
    with pytest.raises(ConfigError, match=message):
        read_sentence_folder(folder)


def test_a_module_of_ones_own(folder):
    (folder / "modules.json").write_text('[{"path": "", "type": "custom_st.Transformer"}]')
    with pytest.raises(ConfigError, match=r"Received: 'custom_st\.Transformer'"):
        read_sentence_folder(folder)


@pytest.mark.parametrize("path", ["..", "/etc", "../other", "a/../../b"])
def test_modules_stay_inside_the_folder(folder, path):
    (folder / "modules.json").write_text(
        json.dumps([{"path": path, "type": f"{TYPES}.Transformer"}])
    )
    with pytest.raises(ConfigError, match="inside its own"):
        read_sentence_folder(folder)


@pytest.mark.parametrize(
    ("path", "content", "message"),
    [
        ("modules.json", "[", r"modules\.json is no valid JSON"),
        ("modules.json", "{}", "must hold a list of modules"),
        ("modules.json", '[{"type": "Pooling"}]', "each with a `path` and a `type`"),
        ("1_Pooling/config.json", "[]", "must hold a JSON object. Received: list"),
        ("1_Pooling/config.json", '{"pooling_mode": "min"}', r"Received: 'min'"),
        ("1_Pooling/config.json", '{"pooling_mode": []}', r"Received: \[\]"),
        ("2_Dense/config.json", '{"in_features": 12}', "Received: 12 and None"),
        ("2_Dense/config.json", '{"in_features": true, "out_features": 3}', "Received: True"),
        (
            "2_Dense/config.json",
            '{"module_input_name": "token_embeddings"}',
            "Received: 'token_embeddings'",
        ),
        ("2_Dense/config.json", '{"use_residual": true}', "residual connection"),
        ("3_Normalize/config.json", '{"module_output_name": "x"}', "Received: 'x'"),
        ("sentence_bert_config.json", '{"max_seq_length": "long"}', "Received: 'long'"),
        ("sentence_bert_config.json", '{"max_seq_length": 2}', "at least 3 tokens"),
        ("sentence_bert_config.json", '{"max_seq_length": Infinity}', "Received: inf"),
        ("sentence_bert_config.json", '{"max_seq_length": NaN}', "Received: nan"),
        ("sentence_bert_config.json", '{"max_seq_length": true}', "Received: True"),
        ("sentence_bert_config.json", '{"modality_config": ["x"]}', r"Received: \['x'\]"),
        ("config_sentence_transformers.json", '{"prompts": ["a"]}', r"Received: \['a'\]"),
        ("config_sentence_transformers.json", '{"prompts": {"a": 1}}', "Received: {'a': 1}"),
        ("config_sentence_transformers.json", '{"default_prompt_name": "q"}', "and 'q'"),
        ("config_sentence_transformers.json", '{"default_prompt_name": ["q"]}', r"and \['q'\]"),
        (
            "config_sentence_transformers.json",
            '{"prompts": 5, "default_prompt_name": "q"}',
            "5 and",
        ),
    ],
)
def test_damaged_descriptions(folder, path, content, message):
    (folder / path).parent.mkdir(exist_ok=True)
    (folder / path).write_text(content)
    with pytest.raises(ConfigError, match=message):
        read_sentence_folder(folder)


def test_the_encoder_in_a_folder_inside(tmp_path):
    write_sentence_folder(tmp_path / "model", inside="0_Transformer")
    assert is_sentence_folder(tmp_path / "model")
    paths = get_checkpoint_paths(tmp_path / "model")
    assert [path.rpartition("/model/")[2] for path in paths] == [
        "0_Transformer/config.json",
        "0_Transformer/model.safetensors",
        "0_Transformer/vocab.txt",
    ]
    assert read_sentence_folder(tmp_path / "model").encoder == tmp_path / "model/0_Transformer"


@pytest.mark.parametrize("content", ["[", "[]", "{}", '[{"path": 3}]', '[{"path": "../x"}]'])
def test_damaged_modules_leave_the_paths_as_they_are(tmp_path, content):
    (tmp_path / "modules.json").write_text(content)
    assert get_checkpoint_paths(tmp_path).vocab == str(tmp_path / "vocab.txt")
