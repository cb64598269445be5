"""Promise: `MLPClassifier` and `MLPRegressor` are estimators as scikit-learn wants them, train as its own do, and can
more: dropout, class weights, validation data, callbacks, schedules, several labels or outputs, sparse matrices."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import textwrap
from typing import Any

import numpy as np
import pytest

import foxnn

pytest.importorskip("sklearn")
sparse = pytest.importorskip("scipy.sparse")

from joblib import parallel_config  # noqa: E402
from sklearn import neural_network as sklearn_networks  # noqa: E402
from sklearn.base import clone  # noqa: E402
from sklearn.calibration import CalibratedClassifierCV  # noqa: E402
from sklearn.compose import TransformedTargetRegressor  # noqa: E402
from sklearn.datasets import load_iris, make_classification  # noqa: E402
from sklearn.exceptions import ConvergenceWarning, NotFittedError  # noqa: E402
from sklearn.inspection import permutation_importance  # noqa: E402
from sklearn.model_selection import GridSearchCV, cross_val_score  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks  # noqa: E402

ESTIMATORS = [foxnn.MLPClassifier(max_iter=100), foxnn.MLPRegressor(max_iter=100)]
quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = load_iris(return_X_y=True)
names = np.array(["setosa", "versicolor", "virginica"])[y]
several_labels = np.stack([y == 0, y > 0, X[:, 0] > 5.5], axis=1).astype(int)
several_outputs = np.stack([y, X[:, 0], X[:, 1] * y], axis=1)


# ---- scikit-learn's checks ----------------------------------------------------------------------------------------


@quiet
@parametrize_with_checks(ESTIMATORS)
def test_scikit_learns_check(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
def test_as_many_checks_as_scikit_learns_own(name: str) -> None:
    ours, theirs = (
        [getattr(check, "func", check).__name__ for _, check in estimator_checks_generator(getattr(module, name)())]
        for module in (foxnn, sklearn_networks)
    )
    assert len(ours) >= len(theirs) > 50
    assert set(theirs) <= set(ours)
