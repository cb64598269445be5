"""Promise: networks from and to PyTorch give the same outputs, and what has no counterpart is refused by name."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from test_c_export import ACTIVATIONS, assert_close, random_network

import foxnn

torch = pytest.importorskip("torch", reason="needs the package torch")
from torch import nn as tnn  # noqa: E402

WITHOUT_MODULE = {"sin", "cos", "gaussian", "arctan", "exp", "threshold"}


def run_torch(module: Any, X: Any) -> Any:
    with torch.no_grad():
        return module(torch.from_numpy(X)).numpy()


@pytest.mark.parametrize("activation", [name for name in ACTIVATIONS if name not in WITHOUT_MODULE])
def test_to_torch_and_back(activation: str) -> None:
    for seed, dtype, tolerance in ((0, "float32", 1e-6), (2, "float64", 1e-12)):
        nn = random_network(activation, dtype, seed, dropout=0.25)
        state = torch.random.get_rng_state()
        module = nn.to_torch()
        assert torch.equal(torch.random.get_rng_state(), state)
        X = np.random.default_rng(1).normal(size=(9, nn.sizes[0])).astype(dtype)
        assert_close(run_torch(module, X), nn.predict(X), tolerance)
        back = foxnn.from_torch(module)
        assert (back.sizes, back.dtype, back.dropout) == (nn.sizes, nn.dtype, nn.dropout)
        shown = "relu" if activation == "foxnn_relu" else activation
        assert back.layers[-1].activation == shown
        np.testing.assert_array_equal(back.predict(X), foxnn.from_torch(module).predict(X))
        assert_close(back.predict(X), nn.predict(X), 0 if activation != "foxnn_relu" else 1e-6)


@pytest.mark.parametrize("activation", sorted(WITHOUT_MODULE))
def test_activations_that_pytorch_has_no_module_for(activation: str) -> None:
    with pytest.raises(ValueError, match=f"'{activation}' has no module in PyTorch"):
        random_network(activation, "float32").to_torch()


def test_scale_and_offset_go_into_the_first_layer() -> None:
    nn = random_network("tanh", "float64")
    nn.scale, nn.offset = 0.25, -1.5
    X = np.random.default_rng(1).normal(size=(9, nn.sizes[0]))
    assert_close(run_torch(nn.to_torch(), X), nn.predict(X), 1e-12)


def test_nested_modules_and_parameters() -> None:
    torch.manual_seed(0)
    module = tnn.Sequential(
        tnn.Flatten(),
        tnn.Sequential(tnn.Linear(6, 5, bias=False), tnn.LeakyReLU(0.2), tnn.Dropout(0.5), tnn.Dropout(0.5)),
        tnn.Identity(),
        tnn.Sequential(tnn.Linear(5, 4), tnn.ELU(0.3), tnn.Linear(4, 4), tnn.Hardtanh(0, 6), tnn.Linear(4, 4)),
        tnn.Linear(4, 3),
        tnn.Softmax(dim=1),
    ).eval()
    nn = foxnn.from_torch(module)
    names = [str(layer.activation) for layer in nn.layers]
    assert names == ["leaky_relu(negative_slope=0.2)", "elu(alpha=0.3)", "relu6", "linear", "softmax"]
    assert nn.dropout == [0.75, 0, 0, 0]
    X = np.random.default_rng(1).normal(size=(9, 2, 3)).astype(np.float32)
    assert_close(nn.predict(X.reshape(9, 6)), run_torch(module, X), 1e-6)
    assert foxnn.from_torch(tnn.Linear(2, 1)).sizes == [2, 1]


def test_batch_normalisation_goes_into_the_weights() -> None:
    torch.manual_seed(0)
    norms = [tnn.BatchNorm1d(n, affine=n != 5) for n in (4, 5, 3)]
    module = tnn.Sequential(
        norms[0], tnn.Linear(4, 5), tnn.ReLU(), tnn.Dropout(0.5), norms[1], tnn.Linear(5, 3), norms[2], tnn.Tanh()
    )
    X = np.random.default_rng(1).normal(2, 3, size=(9, 4)).astype(np.float32)
    for norm in norms:
        if norm.affine:
            tnn.init.normal_(norm.weight)
            tnn.init.normal_(norm.bias)
    run_torch(module.train(), X)  # gives it statistics
    nn = foxnn.from_torch(module.eval())
    assert nn.sizes == [4, 5, 3]
    assert_close(nn.predict(X), run_torch(module, X), 2e-6)


def test_layer_normalisation_there_and_back() -> None:
    """A batch normalisation right after one goes into it."""
    torch.manual_seed(0)
    norms = [tnn.LayerNorm(4, eps=0.1), tnn.LayerNorm(5, elementwise_affine=False), tnn.BatchNorm1d(5)]
    module = tnn.Sequential(
        tnn.Linear(3, 4), norms[0], tnn.ReLU(), tnn.Linear(4, 5), *norms[1:], tnn.Tanh(), tnn.Linear(5, 2)
    )
    for parameter in norms[0].parameters():
        tnn.init.normal_(parameter)
    X = np.random.default_rng(1).normal(2, 3, size=(9, 3)).astype(np.float32)
    run_torch(module.train(), X)
    nn = foxnn.from_torch(module.eval())
    assert [str(layer.norm) for layer in nn.layers] == ["LayerNorm(epsilon=0.1)", "LayerNorm()", "None"]
    assert_close(nn.predict(X), run_torch(module, X), 1e-6)
    assert_close(run_torch(nn.to_torch(), X), nn.predict(X), 1e-6)


class Own(tnn.Module):
    def forward(self, x: Any) -> Any:
        return x


@pytest.mark.parametrize(
    ("modules", "message"),
    [
        ([tnn.Linear(2, 2), tnn.LogSoftmax(dim=1)], "module 1, LogSoftmax: has no counterpart"),
        ([tnn.Linear(2, 2), tnn.Softmax(dim=0)], "module 1, Softmax: .*dim=0.* has no counterpart"),
        ([tnn.Linear(2, 2), tnn.GELU("tanh")], "module 1, GELU: .*tanh"),
        ([tnn.Linear(2, 2), tnn.Softplus(2)], "module 1, Softplus: .*beta=2"),
        ([tnn.Linear(2, 2), Own()], "module 1, Own: is not known"),
        ([tnn.Linear(2, 2), tnn.ReLU(), tnn.Tanh()], "module 2, Tanh: comes after relu"),
        ([tnn.ReLU(), tnn.Linear(2, 2)], "module 0, ReLU: comes before the first dense layer"),
        ([tnn.Linear(2, 2), tnn.LeakyReLU(-1), tnn.Linear(2, 2)], "module 1, LeakyReLU: .*negative_slope"),
        ([tnn.Linear(2, 2), tnn.Dropout(0.5), tnn.ReLU(), tnn.Linear(2, 2)], "module 2, ReLU: comes after dropout"),
        ([tnn.Linear(2, 2), tnn.Dropout(0.5)], "ends with dropout"),
        ([tnn.Linear(2, 2), tnn.Flatten(0)], "module 1, Flatten: does not keep the samples apart"),
        ([tnn.Linear(2, 3), tnn.Linear(2, 2)], "takes 2 inputs, but the layer before it has 3 outputs"),
        ([tnn.Linear(2, 2), tnn.ReLU(), tnn.BatchNorm1d(2)], "module 2, BatchNorm1d: comes last"),
        ([tnn.Linear(2, 2), tnn.BatchNorm1d(3)], "module 1, BatchNorm1d: .*of 3 numbers meets 2"),
        ([tnn.Linear(2, 2), tnn.BatchNorm1d(2, track_running_stats=False)], "has no running statistics"),
        ([tnn.Linear(2, 2), tnn.LayerNorm(2)], "module 1, LayerNorm: comes after the last dense layer"),
        ([tnn.LayerNorm(2), tnn.Linear(2, 2)], "module 0, LayerNorm: takes its place right after a dense layer"),
        ([tnn.Linear(2, 2), tnn.ReLU(), tnn.LayerNorm(2)], "module 2, LayerNorm: takes its place right after a dense"),
        ([tnn.Linear(2, 2), tnn.LayerNorm(3)], "module 1, LayerNorm: of 3 numbers meets 2"),
        ([tnn.Linear(2, 2), tnn.LayerNorm((3, 2))], "module 1, LayerNorm: is over 2 dimensions"),
        ([tnn.Conv2d(1, 1, 1)], "module 0, Conv2d"),
        ([], "has no dense layer"),
    ],
)
def test_refusals_name_the_module(modules: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        foxnn.from_torch(tnn.Sequential(*modules))


def test_a_module_that_is_there_twice_counts_twice() -> None:
    act, linear = tnn.ReLU(), tnn.Linear(1, 1)
    with torch.no_grad():
        linear.weight[:], linear.bias[:] = -1, 0
    nn = foxnn.from_torch(tnn.Sequential(linear, act, linear, act))
    assert [layer.activation.name for layer in nn.layers] == ["relu", "relu"]
    assert nn.predict([[-2.0], [3.0]]).tolist() == [[0.0], [0.0]]
    inner = tnn.Sequential(tnn.Linear(2, 2), tnn.Tanh())
    module = tnn.Sequential(inner, tnn.Sequential(inner, inner)).eval()
    X = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
    assert_close(foxnn.from_torch(module).predict(X), run_torch(module, X), 1e-6)


def test_modules_are_known_by_what_they_compute_not_by_their_name() -> None:
    class Linear(tnn.Linear):
        def forward(self, x: Any) -> Any:
            return 2 * super().forward(x)

    class Sequential(tnn.Sequential):
        def forward(self, x: Any) -> Any:
            return x

    class ReLU(tnn.Module):
        def forward(self, x: Any) -> Any:
            return -x

    ReLU.__module__ = "torch.nn.modules.activation"
    for module, message in (
        (Linear(2, 2), r"module \(the whole\), Linear: has a forward of its own"),
        (Sequential(tnn.Linear(2, 2)), "Sequential: has a forward of its own"),
        (tnn.Sequential(tnn.Linear(2, 2), Sequential(tnn.Tanh())), "module 1, Sequential: has a forward of its own"),
        (tnn.Sequential(tnn.Linear(2, 2), ReLU()), "module 1, ReLU: has no counterpart"),
    ):
        with pytest.raises(ValueError, match=message):
            foxnn.from_torch(module)
    module = tnn.Linear(2, 2)
    module.forward = lambda x: x
    with pytest.raises(ValueError, match=r"Linear: has a forward of its own.*from_onnx"):
        foxnn.from_torch(module)


def test_subclasses_that_compute_what_their_base_does() -> None:
    class Dense(tnn.Linear):
        def __init__(self) -> None:
            super().__init__(2, 3)

    class Net(tnn.Sequential):
        def __init__(self) -> None:
            super().__init__(Dense(), tnn.ReLU6(), tnn.Linear(3, 1))

    module = Net()
    X = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
    assert_close(foxnn.from_torch(module).predict(X), run_torch(module, X), 1e-6)


def test_parametrizations_are_computed() -> None:
    parametrizations = tnn.utils.parametrizations
    torch.manual_seed(0)
    module = tnn.Sequential(
        parametrizations.weight_norm(tnn.Linear(3, 4)), tnn.Tanh(),
        parametrizations.spectral_norm(tnn.Linear(4, 4)), parametrizations.orthogonal(tnn.Linear(4, 4)),
    )  # fmt: skip
    state = {key: 2 * value for key, value in module.state_dict().items()}
    module.load_state_dict(state)
    before = {key: value.clone() for key, value in module.train().state_dict().items()}
    nn = foxnn.from_torch(module)
    for key, value in module.state_dict().items():  # in training mode a spectral norm changes when it is looked at
        assert torch.equal(value, before[key]), key
    assert module[2].training
    X = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    assert_close(nn.predict(X), run_torch(module.eval(), X), 1e-6)


@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
def test_what_computes_weights_or_outputs_in_hooks_is_refused() -> None:
    from torch.nn.utils import prune

    def twice(module: Any, x: Any, y: Any) -> Any:
        return 2 * y

    hooked = tnn.Sequential(tnn.Linear(2, 2), tnn.Tanh())
    handle = hooked.register_forward_hook(twice)
    first = tnn.Linear(2, 2)
    first.register_forward_pre_hook(lambda module, x: (-x[0],))
    pruned = tnn.Linear(2, 2)
    prune.l1_unstructured(pruned, "weight", 1)
    old = tnn.utils.weight_norm(tnn.Linear(2, 2))
    old.load_state_dict({key: value + 1 for key, value in old.state_dict().items()})  # its weight is stale now
    for module, message in (
        (hooked, r"\(the whole\), Sequential: has a forward hook, .*twice"),
        (tnn.Sequential(first), "module 0, Linear: has a forward pre-hook, .*<lambda>"),
        (pruned, "has a forward pre-hook, L1Unstructured"),
        (old, r"has a forward pre-hook, WeightNorm, .*remove_weight_norm"),
    ):
        with pytest.raises(ValueError, match=message):
            foxnn.from_torch(module)
    handle.remove()
    prune.remove(pruned, "weight")
    tnn.utils.remove_weight_norm(old)
    for module in (hooked, pruned, old):
        X = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
        assert_close(foxnn.from_torch(module).predict(X), run_torch(module, X), 1e-6)
    everywhere = torch.nn.modules.module.register_module_forward_hook(twice)
    try:
        with pytest.raises(ValueError, match="PyTorch runs hooks for all modules"):
            foxnn.from_torch(hooked)
    finally:
        everywhere.remove()


def linear_of(weight: Any) -> Any:
    module = tnn.Linear(2, 2)
    del module.weight
    module.weight = weight
    return module


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tnn.Linear(2, 2, dtype=torch.complex64), "weight is of torch.complex64; it takes tensors of real"),
        (lambda: tnn.Linear(2, 2, device="meta"), "weight has no numbers"),
        (lambda: tnn.LazyLinear(2), "module 0, LazyLinear: has no weights yet; run the module on a batch"),
        (lambda: linear_of(torch.eye(2).to_sparse()), r"weight is of the layout .*to_dense\(\)"),
        (lambda: linear_of(torch.ones(2, 2, dtype=torch.int8)), "weight is of torch.int8"),
        (lambda: linear_of(torch.ones(2, 2).as_subclass(type("Quantized", (torch.Tensor,), {}))), "is a Quantized"),
        (lambda: tnn.Softplus(threshold=1.0), "module 0, Softplus: .*has no counterpart"),
        (lambda: torch.jit.script(tnn.Linear(2, 2)), "is not known"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_weights_that_are_no_plain_numbers(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        foxnn.from_torch(tnn.Sequential(make()))


def test_quantized_modules_are_refused() -> None:
    module = tnn.Sequential(tnn.Linear(2, 2), tnn.ReLU())
    try:
        from torch.ao.quantization import quantize_dynamic

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            quantized = quantize_dynamic(module, {tnn.Linear})
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"this PyTorch does not quantize: {error}")
    with pytest.raises(ValueError, match="module 0, Linear: is not known"):
        foxnn.from_torch(quantized)


def test_what_is_no_module() -> None:
    with pytest.raises(TypeError, match=r"it takes a torch\.nn\.Module"):
        foxnn.from_torch([1, 2])
