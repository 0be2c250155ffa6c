"""scikit-learn's validation of data, made stricter; what it refuses is named in one sentence."""

from contextlib import contextmanager

import numpy as np
from sklearn.utils import assert_all_finite, check_random_state, column_or_1d
from sklearn.utils.validation import validate_data

from emmd.core.checks import (
    one_for_all,
    positive_integer,
    require_distinct_columns,
    require_finite,
    require_unmasked,
)

_LARGEST_SEED = 2**31 - 1
_LEAST, _LARGEST = 1e-290, 1e290
_NAMES_DIFFER = "The feature names should match"


@contextmanager
def naming(name):
    """Turn a refusal by scikit-learn or NumPy into one sentence that names the argument."""
    try:
        with np.errstate(all="ignore"):
            yield
    except (ValueError, TypeError, OverflowError) as error:
        # scikit-learn's own tests ask for its words about feature names, which fill several lines
        if str(error).startswith(_NAMES_DIFFER):
            raise
        kind = TypeError if isinstance(error, TypeError) else ValueError
        sentence = (str(error).splitlines() or ["it cannot be read"])[0]
        raise kind(
            f"{name} must be an array of numbers that fits, got one that does not: {sentence}"
        ) from error


def validated(estimator, X, *target, y_numeric=False, least=1, **options):
    """Return features, or features and target, as ``validate_data`` does; refuse masks, text and dates.

    Features are float64 and lie row by row, a target is contiguous and native: sums over the same numbers
    are then added in the same order, whatever held them (a DataFrame lies column by column).

    Parameters
    ----------
    estimator : BaseEstimator
    X : array_like
    *target : array_like
        y, if there is one.
    y_numeric : bool
        Whether y must hold numbers.
    least : int
        Rows: as many as experts.
    **options
        Passed on.
    """
    require_unmasked("X", X)
    require_distinct_columns("X", X)
    _require_table("X", X)
    with naming("X"):
        X = validate_data(estimator, X, dtype=np.float64, order="C", **options)
    if len(X) < least:
        raise ValueError(f"X must have at least as many rows as n_experts = {least}, got {len(X)} sample(s)")
    if not target:
        return X
    y = _target(estimator, X, target[0], y_numeric)
    names = getattr(estimator, "target_names_", None)
    targets = () if names is None else names.shape
    if not options.get("reset", True) and y.shape[1:] != targets:
        raise ValueError(f"y must have shape {(len(X), *targets)} as in fit, got {y.shape}")
    return X, y


def _require_table(name, value):
    """Refuse what scikit-learn would turn into numbers: text, dates, one row or column without brackets."""
    _require_numeric_columns(name, value)
    try:
        array = np.asarray(value)
    except Exception:
        return
    if array.dtype.kind in "USmMV" or (
        array.dtype.kind == "O" and any(isinstance(v, str) for v in array.flat)
    ):
        raise TypeError(f"{name} must hold numbers, got dtype {array.dtype}")
    if array.dtype.kind == "c":
        raise ValueError(
            f"{name} must hold real numbers: Complex data not supported, got dtype {array.dtype}"
        )
    if array.dtype.kind != "O" and array.ndim != 2:
        raise ValueError(
            f"{name} must have 2 dimensions, got shape {array.shape}. Reshape your data: (-1, 1) for one "
            "feature, (1, -1) for one row"
        )


def _require_numeric_columns(name, value):
    """Refuse a table's columns of text, of dates and with missing cells by name; say what to do with them."""
    dtypes = getattr(value, "dtypes", None)
    if not hasattr(dtypes, "items") or not hasattr(value, "select_dtypes"):
        return
    numbers = set(value.select_dtypes(["number", "bool"]).columns)
    others = [
        column for column in value.columns if column not in numbers and not _holds_numbers(value[column])
    ]
    if others:
        kinds = sorted({str(value[column].dtype) for column in others})
        raise TypeError(
            f"{name} must hold numbers, got columns {', '.join(repr(column) for column in others)} of dtype "
            f"{', '.join(kinds)}: encode text (sklearn.preprocessing.OneHotEncoder(drop='first'), or "
            "emmd.formula_design) and turn dates into numbers"
        )
    missing = value.isna().to_numpy()
    if missing.any():
        columns = ", ".join(repr(column) for column in value.columns[missing.any(axis=0)])
        raise ValueError(
            f"{name} must hold no missing cells, got NaN in columns {columns}, first in row "
            f"{int(missing.any(axis=1).argmax())}: fill them in (sklearn.impute.SimpleImputer)"
        )


def _holds_numbers(column):
    """Return whether a column of objects holds numbers all the same."""
    return column.dtype == object and not any(isinstance(cell, str) for cell in column)


def _target(estimator, X, y, y_numeric):
    if y is None:
        raise ValueError(f"{type(estimator).__name__} requires y to be passed, but the target y is None")
    require_unmasked("y", y)
    require_distinct_columns("y", y)
    with naming("y"):
        shape = np.asarray(y).shape
    columns = shape[1] if len(shape) == 2 else 1
    _require_takes(estimator, columns)
    with naming("y"):
        y = np.asarray(y) if columns > 1 else column_or_1d(y, warn=True)
        assert_all_finite(y, input_name="y")
        if y_numeric and y.dtype.kind == "O":
            y = y.astype(np.float64)
    if y.dtype.kind == "c":
        raise ValueError(f"y must hold real numbers or labels: Complex data not supported, got {y.dtype}")
    if len(y) != len(X):
        raise ValueError(f"X and y must have the same number of rows, got {len(X)} and {len(y)}")
    return np.ascontiguousarray(y, dtype=y.dtype.newbyteorder("="))


def _require_takes(estimator, columns):
    """Refuse several targets where the estimator takes only one."""
    if columns > 1 and not estimator.__sklearn_tags__().target_tags.multi_output:
        raise ValueError(
            f"y must hold one target, got {columns} columns: several need a regressor of family 'gaussian' "
            "with variance 'free'"
        )


def scored(score, estimator, X, y, sample_weight, **options):
    """Return scikit-learn's score of an estimator for checked arguments."""
    y = validated(estimator, X, y, reset=False, **options)[1]
    weights = None if sample_weight is None else one_for_all("sample_weight", sample_weight, len(y))
    with naming("X, y and sample_weight"):
        value = score(X, y, weights)
    require_finite("X, y and sample_weight", "score", value)
    return value


def group_numbers(groups, rows):
    """Return the groups of rows as numbers 0, 1, ..., for labels of any kind; None for None."""
    if groups is None:
        return None
    with naming("groups"):
        labels = column_or_1d(groups)
        if len(labels) != len(rows):
            raise ValueError(
                f"a label for each of {len(rows)} rows of positive sample_weight, got {len(labels)}"
            )
        if labels.dtype.kind == "O" and any(label is None or label != label for label in labels):
            raise ValueError("a label for each row, got a missing one")
        if labels.dtype.kind == "f":
            assert_all_finite(labels, input_name="groups")
        return np.unique(labels, return_inverse=True)[1]


def positive_rows(X, y, sample_weight, groups=None):
    """Return the rows of positive weight, their weights and, if given, groups; others are left out."""
    more = () if groups is None else (groups,)
    if sample_weight is None:
        return X, y, np.ones(len(X)), *more
    weights = one_for_all("sample_weight", sample_weight, len(X))
    if (weights < 0).any():
        raise ValueError(f"sample_weight must not be negative, got {weights.min():g}")
    rows = weights > 0
    if not rows.any():
        raise ValueError("sample_weight must have a positive entry, got zeros only")
    with np.errstate(over="ignore"):
        total = weights.sum()
    if not _LEAST <= total <= _LARGEST:
        raise ValueError(
            f"sample_weight must have a sum of {_LEAST:g} to {_LARGEST:g}, got {total:g}; rescale it"
        )
    return tuple(part if rows.all() else part[rows] for part in (X, y, weights, *more))


def drawn_seed(random_state):
    """Return an integer drawn from what scikit-learn takes as ``random_state``, or from a Generator."""
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(_LARGEST_SEED))
    if random_state is not None and not isinstance(random_state, np.random.RandomState):
        random_state = positive_integer("random_state", random_state, minimum=0, maximum=2**32 - 1)
    return check_random_state(random_state).randint(_LARGEST_SEED)
