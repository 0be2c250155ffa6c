"""What a call may do: answer with finite numbers, or refuse with one sentence that names the argument."""

import dataclasses
import re
import signal
import warnings
from collections import Counter
from enum import Enum

import numpy as np
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning

from tests.hostile.examples import CallbackError

SECONDS = 20.0
ANNOUNCED = (ConvergenceWarning, DataConversionWarning)
"""Warnings that docstrings promise: ours of runs that did not converge, scikit-learn's of a column as y."""

COLUMNS = r"Columns \[.*\] of X are (constant|linear)"
"""So begin those of estimators about columns whose coefficients are not determined."""


class HangError(BaseException):
    """The call took too long."""


def _expired(number, frame):
    raise HangError


def limited(call):
    """Return what a call returns, or raise a `HangError`."""
    before = signal.signal(signal.SIGALRM, _expired)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        return call()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


def judge(call, names, promised=()):
    """Return what is wrong with a call: pairs of a kind of fault and a sentence.

    Parameters
    ----------
    call : callable
    names : list of str
        Arguments of which a refusal must name one.
    promised : tuple of type
        Exceptions for honest numerical failures that the docstring promises.
    """
    with warnings.catch_warnings(record=True) as caught, np.errstate(all="warn", under="ignore"):
        warnings.simplefilter("always")
        faults = list(_outcome(call, names, promised))
    leaks = [w for w in caught if not _announces(w)]
    if any(issubclass(w.category, ConvergenceWarning) for w in caught):
        # a number that is none was announced
        faults = [fault for fault in faults if fault[0] != "not finite"]
    return faults + [
        ("warning", f"{w.category.__name__}: {w.message} ({w.filename}:{w.lineno})") for w in leaks
    ]


def _announces(warning):
    said = warning.category is UserWarning and re.match(COLUMNS, str(warning.message))
    return issubclass(warning.category, ANNOUNCED) or bool(said)


def _outcome(call, names, promised):
    try:
        result = limited(call)
    except HangError:
        yield "hang", f"more than {SECONDS} s"
    except CallbackError:
        pass
    except (ValueError, TypeError, *promised) as error:
        yield from _sentence(str(error), names)
    except Exception as error:
        yield "exception", f"{type(error).__name__}: {error}"[:300]
    else:
        bad = not_finite(result)
        if bad:
            yield "not finite", bad


def _sentence(message, names):
    if "\n" in message:
        yield "lines", message[:300]
    if len(message) > 600:
        yield "long", message[:300]
    if not any(re.search(rf"(?<![A-Za-z_]){re.escape(name)}(?![A-Za-z_])", message) for name in names):
        yield "unnamed", f"{names}: {message[:300]}"


def not_finite(value, where="result"):
    """Return where a result holds NaN or infinity, or "".

    Only records and containers are looked into, and no record that says itself why there is no number.
    """
    if isinstance(value, bool | str | bytes | Enum | type(None)):
        return ""
    if isinstance(value, float | complex | np.generic | np.ndarray):
        array = np.asarray(value)
        return "" if array.dtype.kind not in "fc" or np.isfinite(array).all() else where
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, list | tuple):
        parts = enumerate(value)
    elif getattr(value, "reason", "") or getattr(value, "solved", True) is False:
        return ""
    elif dataclasses.is_dataclass(value):
        parts = vars(value).items() if hasattr(value, "__dict__") else ()
    else:
        return ""
    return next(filter(None, (not_finite(part, f"{where}.{name}") for name, part in parts)), "")


def tally(faults):
    """Return the number of faults of each kind."""
    return Counter(kind for kind, *_ in faults)
