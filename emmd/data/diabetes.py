"""The diabetes data that scikit-learn ships, for two symmetric linear experts."""

from emmd.core.features import standardise
from emmd.core.protocols.dataset import DataSet


def _load():
    from sklearn.datasets import load_diabetes

    bunch = load_diabetes()
    X = standardise(bunch.data, bunch.feature_names)
    y = (bunch.target - bunch.target.mean()) / bunch.target.std()
    return X, y


DIABETES = DataSet(
    name="diabetes",
    model="symmoline",
    note="442 rows; 10 features standardised, intercept added; target standardised, sigma = 0.5",
    load=_load,
    options={"sigma": 0.5},
)
