"""The class labels of a table: text, as it stands in the file."""

import re

import numpy as np

_WHOLE = re.compile(r"(-?[1-9][0-9]*|0)(\.0+)?")
_EXACT = 2**53


def class_labels(texts, family):
    """Return labels for a classifier.

    Parameters
    ----------
    texts : ndarray of str
        The target column.
    family : str
        ``bernoulli`` takes two different labels.

    Returns
    -------
    ndarray
        Whole numbers where every label is written as one (``7`` or ``7.0``, not ``007`` or ``7_0``), each
        number in one way and below 2^53; else the texts. So different texts are different classes.

    Raises
    ------
    ValueError
        For a target of measurements, and for other than two labels of family ``bernoulli``.
    """
    distinct = set(texts)
    # dose 0.5 against 1.5 is a class; numbers that hardly ever come twice are measurements
    if 2 * len(distinct) > len(texts) and all(map(is_number, distinct)):
        row = next((k for k, text in enumerate(texts) if float(text) % 1), None)
        if row is not None:
            raise ValueError(
                f"--target must hold whole numbers for family {family}, got {texts[row]} in row {row}"
            )
    if family == "bernoulli" and len(distinct) != 2:
        raise ValueError(f"--target must hold two different labels for family bernoulli, got {len(distinct)}")
    if not all(map(_WHOLE.fullmatch, distinct)):
        return texts
    numbers = {text: int(text.partition(".")[0]) for text in distinct}
    one_to_one = len(set(numbers.values())) == len(distinct)
    exact = max(map(abs, numbers.values())) < _EXACT
    return np.array([numbers[text] for text in texts]) if one_to_one and exact else texts


def is_number(text):
    """Return whether a cell is a finite number, as the files of all programs write it."""
    try:
        return bool(np.isfinite(number(text)))
    except ValueError:
        return False


def number(text):
    """Return the number in a cell; Python would also take 1_1 for 11, and digits of all scripts.

    Raises
    ------
    ValueError
        For anything else.
    """
    if "_" in text or not text.isascii():
        raise ValueError(text)
    return float(text)
