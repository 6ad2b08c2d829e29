"""LayerCall: on PyTorch a layer in a model gives what it gives by Keras' own call."""

import numpy as np
import pytest
from runtimes import RUNTIME, dtype_policy, to_numpy

from keras_bert import compile_model, gen_batch_inputs, get_base_dict, get_model
from keras_bert.backend import keras, layers, models
from keras_bert.layers import Add, Dropout, FeedForward, LayerNormalization

if RUNTIME == "torch":
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode

    from keras_bert.backend.torch import direct_call
    from keras_bert.backend.torch.direct_call import traced

pytestmark = pytest.mark.skipif(RUNTIME != "torch", reason="elsewhere every call is Keras'")

IDS = np.array([[3, 4, 5, 0, 0], [6, 7, 8, 9, 1], [0, 0, 0, 0, 0]])
ARRAYS = [IDS, np.array([[0, 0, 1, 0, 0], [0, 0, 0, 1, 1], [0, 0, 0, 0, 0]])]
SIZES = {"embed_dim": 12, "transformer_num": 2, "head_num": 3, "feed_forward_dim": 7}


def encoder(**options):
    inputs, output = get_model(20, seq_len=None, pos_num=9, training=False, **SIZES, **options)
    return models.Model(inputs, output)


def on_features(*calls):
    """A model of features (B, T, 4) through some calls, one after the other."""
    inputs = layers.Input((None, 4))
    features = inputs
    for call in calls:
        features = call(features)
    return models.Model(inputs, features)


FEATURES = np.random.RandomState(0).rand(2, 3, 4).astype("float32")


@pytest.fixture
def by_keras(monkeypatch):
    """Make every call Keras' own."""
    return lambda: monkeypatch.delattr(direct_call.LayerCall, "__call__")


@pytest.fixture
def keras_calls(monkeypatch):
    """The names of layers whose call Keras does."""
    names, original = [], layers.Layer.__call__

    def call(self, *args, **kwargs):
        names.append(self.name)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(layers.Layer, "__call__", call)
    return names


def check(model, arrays, by_keras, **options):
    """Equal outputs, under equal masks."""
    outputs = []
    for prepare in (lambda: None, by_keras):
        prepare()
        keras.utils.set_random_seed(0)
        output = model(arrays, **options)
        mask = getattr(output, "_keras_mask", None)
        outputs.append((to_numpy(output), None if mask is None else to_numpy(mask)))
    (output, mask), (expected, expected_mask) = outputs
    assert output.dtype == expected.dtype
    np.testing.assert_array_equal(output, expected)
    assert (mask is None) == (expected_mask is None)
    if mask is not None:
        np.testing.assert_array_equal(mask, expected_mask)
    return expected


@pytest.mark.parametrize("training", [None, False, True])
@pytest.mark.parametrize("options", [{}, {"output_len": 1}, {"dropout_rate": 0.5}])
def test_an_encoder(options, training, by_keras):
    check(encoder(**options), ARRAYS, by_keras, training=training)


@pytest.mark.parametrize(
    "policy", ["float64", "bfloat16", "float16", "mixed_bfloat16", "mixed_float16"]
)
def test_policies(policy, by_keras):
    with dtype_policy(policy):
        model = encoder()
    check(model, ARRAYS, by_keras, training=True)


@pytest.mark.parametrize(
    ("dtype", "others"), [("float32", "mixed_bfloat16"), ("bfloat16", "float32")]
)
def test_layers_with_a_policy_of_their_own(dtype, others, by_keras):
    with dtype_policy(others):
        own = FeedForward(5, dtype=dtype), LayerNormalization(dtype=dtype)
        model = on_features(FeedForward(5), *own, Dropout(0.5))
    check(model, FEATURES, by_keras, training=True)


def test_only_the_first_layers_are_called_by_keras(keras_calls):
    model = encoder()
    del keras_calls[:]
    model.predict_on_batch(ARRAYS)
    first = {model.name, "Embedding-Token", "Embedding-Segment", "Embedding-Position"}
    assert {name for name in keras_calls if name not in first} == set()


def test_a_step_of_training_is_the_same(by_keras):
    words = [[["a", "b", "c"], ["d", "e"]], [["b"], ["c", "a"]]]
    tokens = get_base_dict()
    for word in "abcde":
        tokens[word] = len(tokens)
    batch = gen_batch_inputs(words, tokens, list("abcde"), seq_len=9)
    results = []
    for prepare in (lambda: None, by_keras):
        prepare()
        keras.utils.set_random_seed(1)
        model = get_model(len(tokens), seq_len=9, pos_num=9, dropout_rate=0.3, **SIZES)
        compile_model(model)
        losses = [model.train_on_batch(*batch) for _ in range(3)]
        results.append((np.array(losses), model.get_weights()))
    np.testing.assert_array_equal(results[0][0], results[1][0])
    for weight, expected in zip(results[0][1], results[1][1], strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_hooks_of_pytorch(by_keras):
    import torch

    model, seen = encoder(trainable=True), []
    layer = model.get_layer("Encoder-1-FeedForward")
    every = torch.nn.modules.module.register_module_forward_hook(
        lambda module, inputs, output: seen.append(module) if module is layer else None
    )
    hooks = [
        layer.register_forward_pre_hook(lambda module, inputs: seen.append("before")),
        layer.register_forward_hook(lambda module, inputs, output: output * 2),
        layer.register_full_backward_hook(lambda module, inputs, outputs: seen.append("backward")),
    ]
    try:
        model(ARRAYS, training=False).sum().backward()
        assert seen == ["before", layer, "backward"]
        doubled = check(model, ARRAYS, by_keras, training=False)
    finally:
        for hook in [every, *hooks]:
            hook.remove()
    assert not np.array_equal(to_numpy(model(ARRAYS, training=False)), doubled)


def test_gradient_checkpointing():
    """PyTorch ends a recomputation by an exception inside a layer."""
    from torch.utils.checkpoint import checkpoint

    model, ids = encoder(trainable=True), [keras.ops.convert_to_tensor(each) for each in ARRAYS]
    gradients = []
    for call in (model, lambda ids: checkpoint(model, ids, use_reentrant=False)):
        for variable in model.trainable_variables:
            variable.value.grad = None
        call(ids).square().sum().backward()
        gradients.append([to_numpy(each.value.grad) for each in model.trainable_variables[:-1]])
    for gradient, expected in zip(*gradients, strict=True):
        np.testing.assert_array_equal(gradient, expected)


class Shifted(FeedForward):
    """A user's subclass, which adds what it is told, and a loss."""

    def call(self, inputs, mask=None, training=True, shift=0.5):
        self.add_loss(super().call(inputs).mean())
        return super().call(inputs, mask=mask) + (shift if training else -shift)


class Twice(Dropout):
    """A user's subclass that calls a layer inside."""

    def __init__(self, **kwargs):
        super().__init__(0.5, **kwargs)
        self.inner = Dropout(0.5)

    def build(self, input_shape):
        self.inner.build(input_shape)
        super().build(input_shape)

    def call(self, inputs):
        return self.inner(inputs)


class Named(FeedForward):
    """A user's subclass with several outputs, by name."""

    def call(self, inputs, mask=None, training=None):
        output = super().call(inputs, mask=mask)
        return {"a": output, "b": output * 2}

    def compute_output_spec(self, inputs, **kwargs):
        return {name: keras.KerasTensor(inputs.shape) for name in "ab"}


@pytest.mark.parametrize("training", [None, False, True])
@pytest.mark.parametrize(
    "call",
    [
        Shifted(3),
        lambda features: Shifted(3)(features, shift=2.0),
        lambda features: Shifted(3)(features, training=False),
        Twice(),
        lambda features: Named(3)(features)["a"],
        lambda features: Add()((features, features)),
        lambda features: Add()([features, layers.Masking(0.5)(features)]),
        lambda features: Dropout(0.5)(features, training=True),
        FeedForward(3, activity_regularizer="l2"),
    ],
)
def test_layers_and_calls_of_many_kinds(call, training, by_keras):
    model = on_features(layers.Masking(), call, LayerNormalization())
    keras.utils.set_random_seed(0)
    model(FEATURES, training=training)
    losses = [to_numpy(loss) for loss in model.losses]
    check(model, FEATURES, by_keras, training=training)
    np.testing.assert_array_equal([to_numpy(loss) for loss in model.losses], losses)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize` method implemented")
@pytest.mark.filterwarnings("ignore:Layer 'Embedding-Token' keeps its table in float")
def test_a_quantized_model_computes_with_its_integers(by_keras):
    model = encoder()
    in_float = to_numpy(model(ARRAYS, training=False))
    model.quantize("int8")
    assert not np.array_equal(check(model, ARRAYS, by_keras, training=False), in_float)


def test_rematerialization(by_keras, keras_calls):
    with keras.RematScope(mode="full"):
        model = encoder()
    del keras_calls[:]
    check(model, ARRAYS, by_keras, training=True)
    assert "Encoder-1-FeedForward" in keras_calls


def test_another_type_of_features_is_cast_by_keras(by_keras):
    model = on_features(layers.Identity(autocast=False, dtype="float64"), FeedForward(3))
    assert check(model, FEATURES, by_keras, training=False).dtype == "float32"


def test_a_call_by_itself_is_keras_own(keras_calls):
    layer = Dropout(0.5)
    layer(FEATURES)
    assert keras_calls == [layer.name]


def test_errors_say_what_was_called_once(by_keras):
    calls = []

    def fail(features):
        calls.append(features)
        raise ValueError("No.")

    model = on_features(FeedForward(3, name="first"), FeedForward(3, name="second"))
    model.get_layer("second").activation = model.get_layer("second").hidden.activation = fail
    messages = []
    for prepare in (lambda: None, by_keras):
        prepare()
        with pytest.raises(ValueError, match=r"(?s)FeedForward.call\(\).*No\.") as caught:
            model(FEATURES, training=False)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]
    assert len(calls) == 2


class Late(LayerNormalization):
    """A user's subclass whose layer inside is built when it is called in training."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = layers.Dense(4, name="inner")

    def call(self, inputs, training=None):
        return self.inner(inputs) if training else inputs


def test_variables_made_in_a_call_have_its_path():
    model = on_features(Late(name="a"), Late(name="b"))
    model(FEATURES, training=True)
    paths = [model.get_layer(name).inner.kernel.path for name in "ab"]
    assert [path[-14:] for path in paths] == ["a/inner/kernel", "b/inner/kernel"]


# Where PyTorch does more with a tensor than to compute what it is told


def test_a_plain_tensor_is_not_traced():
    for tensor in (
        torch.ones(3),
        torch.ones(3, requires_grad=True),
        torch.nn.Parameter(torch.ones(3)),
        torch.ones(3, 3)[1:].T,
    ):
        assert not traced(tensor)
        with torch.no_grad():
            assert not traced(tensor)


@pytest.mark.filterwarnings("ignore:`torch.jit.:DeprecationWarning")
@pytest.mark.parametrize(
    "run",
    [
        lambda function: torch.func.grad(function)(torch.ones(3)),
        lambda function: torch.func.vmap(function)(torch.ones(2, 3)),
        lambda function: torch.func.jvp(function, (torch.ones(3),), (torch.ones(3),)),
        lambda function: torch.jit.trace(function, torch.ones(3), check_trace=False),
        lambda function: function(FakeTensorMode().from_tensor(torch.ones(3))),
        lambda function: function(torch.ones(3).as_subclass(type("Own", (torch.Tensor,), {}))),
    ],
    ids=["grad", "vmap", "jvp", "jit", "shapes alone", "subclass"],
)
def test_a_transformed_tensor_is_traced(run):
    found = []

    def function(tensor):
        found.append(traced(tensor))
        return (tensor * tensor).sum()

    run(function)
    assert found
    assert all(found)


def test_a_compiled_function_sees_traced_tensors():
    # The answer is what the compiled function returns: noting it would end the graph.
    compiled = torch.compile(
        lambda tensor: tensor + 1 if traced(tensor) else tensor, backend="eager", fullgraph=True
    )
    assert compiled(torch.zeros(3)).tolist() == [1, 1, 1]


def test_several_gradients_at_once():
    found = []

    class Function(torch.autograd.Function):
        @staticmethod
        def forward(context, tensor):
            return tensor * 1

        @staticmethod
        def backward(context, gradient):
            found.append(traced(gradient))
            return gradient

    tensor = torch.ones(2, requires_grad=True)
    torch.autograd.grad(Function.apply(tensor), tensor, torch.eye(2), is_grads_batched=True)
    torch.autograd.grad(Function.apply(tensor), tensor, torch.ones(2))
    assert found == [True, False]
