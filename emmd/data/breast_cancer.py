"""The Wisconsin breast cancer data that scikit-learn ships, for two symmetric logistic experts."""

import numpy as np

from emmd.core.features import standardise
from emmd.core.protocols.dataset import DataSet

_COLUMNS = ("mean texture", "mean smoothness", "mean symmetry", "mean fractal dimension")


def _load():
    from sklearn.datasets import load_breast_cancer

    bunch = load_breast_cancer()
    names = list(bunch.feature_names)
    # with the size features two logistic experts separate the classes and no finite optimum exists
    X = standardise(bunch.data[:, [names.index(name) for name in _COLUMNS]], _COLUMNS)
    return X, np.where(bunch.target == 1, 1.0, -1.0)


BREAST_CANCER = DataSet(
    name="breast cancer",
    model="symmologe",
    note="569 rows; texture, smoothness, symmetry and fractal dimension standardised, intercept added "
    "(all 30 features are separable); labels benign = +1, malignant = -1",
    load=_load,
)
