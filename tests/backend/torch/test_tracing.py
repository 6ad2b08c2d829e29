"""Where PyTorch does more with a tensor than to compute what it is told."""

import pytest
from runtimes import RUNTIME

if RUNTIME == "torch":
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode

    from keras_bert.backend.torch.tracing import traced

pytestmark = pytest.mark.skipif(RUNTIME != "torch", reason="PyTorch's tensors")


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
