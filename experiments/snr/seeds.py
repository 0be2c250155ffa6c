"""Seeds made from names: what a random draw is for decides its seed, never the order of loops."""

import hashlib
import json

import numpy as np


def canonical(value):
    """Return the one JSON text of a value: sorted keys, no spaces, shortest exact floats."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(value):
    """Return 32 hexadecimal digits that identify a value."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:32]


def seed_of(*names):
    """Return the seed that belongs to a list of names.

    Parameters
    ----------
    *names : JSON values
        For example the experiment, the data cell and the repetition.

    Returns
    -------
    numpy.random.SeedSequence
    """
    words = hashlib.sha256(canonical(names).encode()).digest()
    return np.random.SeedSequence(np.frombuffer(words, dtype="<u4").tolist())
