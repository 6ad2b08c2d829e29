"""Configurations of every family with wrong values, beside a file that is right."""

import json
import tracemalloc

import pytest
from relatives import CONFIGS, write_relative
from runtimes import once

from keras_bert import get_checkpoint_paths, load_trained_model_from_checkpoint
from keras_bert.checkpoints import CheckpointError
from keras_bert.families import ALBERT, BERT, DISTILBERT, ELECTRA, ERNIE, ConfigError
from keras_bert.loader import pretrained
from keras_bert.saving.conversion import read_folder

pytestmark = once  # nothing of a model is made

NO_SIZE = [0, -1, "128", 1.5, True, None, [], 10**12]
HUGE = 2**31 - 1


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A folder of Hugging Face's kind of each family."""
    root = tmp_path_factory.mktemp("families")
    for family in CONFIGS:
        write_relative(root / family.model_type, family)
    return root


@pytest.fixture
def refuse(folders, tmp_path, monkeypatch):
    """Checks that a change of a configuration is refused, quickly and without a model."""

    def build(**arguments):
        raise AssertionError(f"A model is built of {arguments}")

    def check(family, changes, error, words):
        paths = get_checkpoint_paths(folders / family.model_type)
        with open(paths.config, encoding="utf-8") as reader:
            config = json.load(reader)
        (tmp_path / "config.json").write_text(json.dumps({**config, **changes}), "utf-8")
        (tmp_path / "model.safetensors").symlink_to(paths.checkpoint)
        monkeypatch.setattr(pretrained, "get_model", build)
        for read in (
            lambda: load_trained_model_from_checkpoint(
                tmp_path / "config.json", paths.checkpoint, training=True
            ),
            lambda: read_folder(tmp_path),
        ):
            tracemalloc.start()
            try:
                with pytest.raises(error) as caught:
                    read()
                _, most = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            assert most < 2**24  # bytes; a table of a size that is wrong by much would take more
            missing = [word for word in words if word not in str(caught.value)]
            assert not missing, str(caught.value)

    return check


@pytest.mark.parametrize("value", NO_SIZE)
@pytest.mark.parametrize(
    ("family", "key"),
    [
        *((ALBERT, key) for key in ("embedding_size", "num_hidden_groups", "inner_group_num")),
        (ELECTRA, "embedding_size"),
        (ERNIE, "task_type_vocab_size"),
        *((DISTILBERT, key) for key in ("dim", "n_layers", "n_heads", "hidden_dim")),
        *((BERT, key) for key in ("hidden_size", "num_hidden_layers")),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_what_is_no_size(refuse, family, key, value):
    refuse(family, {key: value}, ConfigError, [f"`{key}`", f"Received: {value!r}"])


@pytest.mark.parametrize(
    ("family", "changes", "words"),
    [
        (ALBERT, {"num_hidden_groups": HUGE}, ["`num_hidden_groups`", str(HUGE)]),
        (ALBERT, {"inner_group_num": HUGE}, ["`inner_group_num`", str(5 * HUGE)]),
        (ALBERT, {"num_hidden_layers": HUGE}, ["`num_hidden_layers`", str(2 * HUGE)]),
        (ALBERT, {"num_hidden_groups": 6}, ["`num_hidden_groups` must not exceed", "6 and 5"]),
        (BERT, {"num_hidden_layers": HUGE}, ["`num_hidden_layers`", str(HUGE)]),
        (DISTILBERT, {"n_layers": HUGE}, ["`n_layers`", str(HUGE)]),
        (DISTILBERT, {"n_heads": 5}, ["`n_heads` must divide `dim`", "5 and 12"]),
        (ELECTRA, {"num_attention_heads": 24}, ["`num_attention_heads`", "24 and 12"]),
        (ALBERT, {"net_structure_type": 1}, ["`net_structure_type` must be 0", "Received: 1"]),
        (ALBERT, {"gap_size": 2}, ["`gap_size` must be 0", "Received: 2"]),
        (ALBERT, {"num_memory_blocks": 2}, ["`num_memory_blocks` must be 0", "Received: 2"]),
        (ALBERT, {"down_scale_factor": 2}, ["`down_scale_factor` must be 1", "Received: 2"]),
        (ELECTRA, {"position_embedding_type": "relative_key"}, ["`position_embedding_type`"]),
        (ERNIE, {"is_decoder": True}, ["`is_decoder`"]),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_what_cannot_be_built(refuse, family, changes, words):
    refuse(family, changes, ConfigError, words)


SIZES = {
    ALBERT: {
        **{"vocab_size": 30, "embedding_size": 6, "hidden_size": 12, "intermediate_size": 20},
        **{"max_position_embeddings": 16, "type_vocab_size": 2},
    },
    ELECTRA: {
        **{"vocab_size": 30, "embedding_size": 6, "hidden_size": 12, "intermediate_size": 20},
        **{"max_position_embeddings": 16, "type_vocab_size": 2},
    },
    ERNIE: {
        **{"vocab_size": 30, "hidden_size": 12, "intermediate_size": 20, "type_vocab_size": 4},
        **{"max_position_embeddings": 16, "task_type_vocab_size": 3},
    },
    DISTILBERT: {"vocab_size": 30, "dim": 12, "hidden_dim": 20, "max_position_embeddings": 16},
}


@pytest.mark.parametrize("other", ["more", "huge"])
@pytest.mark.parametrize(
    ("family", "key"),
    [(family, key) for family, sizes in SIZES.items() for key in sizes],
    ids=lambda value: getattr(value, "name", value),
)
def test_a_size_that_is_not_the_file_s(refuse, family, key, other):
    size = SIZES[family][key]
    more = size + max(1, size // 4)  # of the hidden size 15, which three heads divide as well
    value = more if other == "more" else 3 * 10**8
    refuse(family, {key: value}, CheckpointError, [f"{key} is {value}", f"the file's {size}"])


@pytest.mark.parametrize(
    ("family", "changes", "word"),
    [
        (ALBERT, {"num_hidden_groups": 3}, "albert_layer_groups.2"),
        (ALBERT, {"num_hidden_groups": 1}, "albert_layer_groups.1"),
        (ALBERT, {"inner_group_num": 3}, "albert_layers.2"),
        (ALBERT, {"inner_group_num": 1}, "albert_layers.1"),
        (ELECTRA, {"num_hidden_layers": 3}, "electra.encoder.layer.2"),
        (ERNIE, {"use_task_id": False}, "task_type_embeddings"),
        (DISTILBERT, {"n_layers": 3}, "distilbert.transformer.layer.2"),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_layers_that_are_not_the_file_s(refuse, family, changes, word):
    refuse(family, changes, CheckpointError, [word])
