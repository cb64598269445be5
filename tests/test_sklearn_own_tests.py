"""Promise: changing the import is enough. scikit-learn's own tests of its multilayer perceptrons, from the installed
scikit-learn, pass with foxnn's classes in the place of its own."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from types import ModuleType

import pytest

import foxnn

sklearn_networks = pytest.importorskip("sklearn.neural_network")

#: Tests that are about private attributes.
EXCLUDED = {
    "test_gradient": "calls the private method _loss_grad_lbfgs; foxnn's gradients have tests of their own",
}

#: Its tests run where warnings about convergence are none of their business.
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Results do not depend on it, and such small work is done soonest without waiting for others."""
    with foxnn.num_threads(1):
        yield


def with_names_exchanged() -> ModuleType:
    """A copy of scikit-learn's test module in which MLPClassifier and MLPRegressor are foxnn's."""
    spec = importlib.util.find_spec("sklearn.neural_network.tests.test_mlp")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MLPClassifier", "MLPRegressor"):
            patch.setattr(sklearn_networks, name, getattr(foxnn, name))
        spec.loader.exec_module(module)
    return module


_module = with_names_exchanged()
_tests = {name: test for name, test in vars(_module).items() if name.startswith("test_")}
globals().update({name: test for name, test in _tests.items() if name not in EXCLUDED})


@pytest.fixture
def global_random_seed() -> int:
    """What scikit-learn's tests call their seed."""
    return 42


def test_that_these_are_its_tests_with_foxnn_in_them() -> None:
    assert _module.MLPClassifier is foxnn.MLPClassifier
    assert _module.MLPRegressor is foxnn.MLPRegressor
    assert len(_tests) >= 30
    assert set(EXCLUDED) <= set(_tests)
