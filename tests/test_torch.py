"""Promise: networks from and to PyTorch give the same outputs, and what has no counterpart is refused by name."""

from __future__ import annotations

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


def test_what_is_no_module() -> None:
    with pytest.raises(TypeError, match=r"it takes a torch\.nn\.Module"):
        foxnn.from_torch([1, 2])
