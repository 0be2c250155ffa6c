"""Mixtures of experts as scikit-learn estimators, and the file that keeps a fitted one."""

from emmd.estimators.classifier import MixtureOfExpertsClassifier
from emmd.estimators.regressor import MixtureOfExpertsRegressor

__all__ = ["MixtureOfExpertsClassifier", "MixtureOfExpertsRegressor"]
