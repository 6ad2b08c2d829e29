import numpy as np
import pytest
from layer_checks import check_layer, old_case, old_cases
from runtimes import KERAS_3, ON_TENSORFLOW, RUNTIME, compiled, to_numpy

from keras_bert.backend import layers, models, ops
from keras_bert.layers import TokenEmbedding, get_embedding, get_inputs
from keras_bert.layers.embedding import Embedding


@old_cases("token_embedding", "embedding_ret")
def test_token_embedding_as_the_old_layer(case, tmp_path):
    check_layer(
        **old_case(case),
        output_dtypes=["compute", "variable"],
        unused_outputs=[1],
        tmp_path=tmp_path,
    )


def test_segment_embedding(tmp_path):
    random = np.random.RandomState(3)
    ids = random.randint(0, 3, size=(4, 9)).astype("int32")
    table = random.normal(size=(3, 8)).astype("float32")
    check_layer(
        Embedding,
        {"input_dim": 3, "output_dim": 8},
        ids,
        weights=[table],
        outputs=[table[ids]],
        tmp_path=tmp_path,
    )


@pytest.mark.parametrize("layer_class", [Embedding, TokenEmbedding])
@pytest.mark.parametrize("ids", [[[0, 5]], [[-1, 2]], [[0.0, 5.0]]])
def test_ids_outside_the_table(layer_class, ids):
    with pytest.raises(ValueError, match=r"'words' has 5 rows.*\[0, 4\].*Received ids from"):
        layer_class(5, 3, name="words")(ops.convert_to_tensor(ids))


@pytest.mark.skipif(not KERAS_3, reason="16-bit policies are for Keras 3")
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_float_ids_are_not_rounded_to_16_bits(policy):
    layer = Embedding(4200, 1, dtype=policy)
    layer.build((None, None))
    for token in (257, 4097):
        layer.set_weights([(np.arange(4200) == token).astype("float32")[:, None]])
        output = layer(ops.convert_to_tensor(np.array([[token]], "float32")))
        assert to_numpy(output).item() == 1.0


@pytest.mark.skipif(RUNTIME != "torch", reason="only PyTorch shows where a tensor's data lies")
def test_the_table_is_not_copied():
    layer = TokenEmbedding(5, 3)
    _, table = layer(ops.convert_to_tensor([[1, 2]]))
    assert table.data_ptr() == layer.embeddings.value.data_ptr()


@pytest.mark.skipif(not KERAS_3, reason="Keras 3 has LoRA and int8")
def test_quantizing_and_lora():
    layer = Embedding(6, 4)
    layer.build((None, None))
    layer.enable_lora(2)
    layer.lora_embeddings_a.assign(np.ones((6, 2), "float32"))
    layer.lora_embeddings_b.assign(np.ones((2, 4), "float32"))
    ids = np.array([[1, 5]])
    output = to_numpy(layer(ops.convert_to_tensor(ids)))
    np.testing.assert_allclose(output, to_numpy(layer.embeddings)[ids], atol=1e-6)
    layer = TokenEmbedding(6, 4, name="words")
    layer.build((None, None))
    with pytest.raises(NotImplementedError, match="'words' keeps its table in float"):
        layer.quantize("int8")


@pytest.mark.skipif(not ON_TENSORFLOW, reason="XLA on TensorFlow")
def test_under_xla():
    inputs = layers.Input(shape=(None,), dtype="int32")
    embedding = TokenEmbedding(30, 2)
    model = models.Model(inputs, embedding(inputs)[0])
    ids = np.full((4, 256), 3, "int32")
    ids[0, 0] = 5
    output = to_numpy(compiled(model)(ops.convert_to_tensor(ids)))
    np.testing.assert_array_equal(output, embedding.get_weights()[0][ids])


def test_the_sum_of_three_embeddings():
    """Of tokens, segments and positions, with the mask of tokens that are not padding."""
    inputs = get_inputs(None)[:2]
    first_values = np.random.RandomState(0).normal(size=(20, 4)).astype("float32")
    summed, table = get_embedding(
        inputs, 20, 6, 4, segment_num=3, token_initializer=lambda shape, dtype: first_values
    )
    model = models.Model(inputs, [summed, table])
    names = ["Embedding-Token", "Embedding-Segment", "Embedding-Position"]
    tokens, segments, positions = (model.get_layer(each).get_weights()[0] for each in names)
    assert [each.shape for each in (tokens, segments, positions)] == [(20, 4), (3, 4), (6, 4)]
    np.testing.assert_array_equal(tokens, first_values)
    fed = [np.array([[7, 3, 0], [1, 2, 19]], "int32"), np.array([[0, 2, 0], [1, 1, 2]], "int32")]
    found, again = model([ops.convert_to_tensor(each) for each in fed])
    expected = tokens[fed[0]] + segments[fed[1]] + positions[:3]
    np.testing.assert_allclose(to_numpy(found), expected, atol=1e-6)
    np.testing.assert_array_equal(to_numpy(again), tokens)
