"""Mixtures of experts as scikit-learn estimators, and the file that keeps a fitted one."""

from emmd.estimators.classifier import MixtureOfExpertsClassifier
from emmd.estimators.model_file import load_model, save_model
from emmd.estimators.regressor import MixtureOfExpertsRegressor

__all__ = ["MixtureOfExpertsClassifier", "MixtureOfExpertsRegressor", "load_model", "save_model"]
