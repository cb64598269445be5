"""Estimators for scikit-learn: `MLPClassifier` and `MLPRegressor`, with the parameters of its classes and more."""

from foxnn.estimators.classifier import MLPClassifier
from foxnn.estimators.regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor"]
