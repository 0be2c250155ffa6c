"""Seeds made from names: what a random draw is for decides its seed, never the order of loops."""

import hashlib
import json

import numpy as np

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)


def canonical(value):
    """Return the one JSON text of a value: sorted keys, no spaces, shortest exact floats."""
    return _ENCODER.encode(value)


def digest(value):
    """Return 32 hexadecimal digits that identify a value."""
    return digest_of_text(canonical(value))


def digest_of_text(text):
    """Return the digest of the value whose canonical text this is."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


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
    # NumPy takes an array of words as they are; from a list it makes an array of each
    return np.random.SeedSequence(np.frombuffer(words, dtype="<u4"))
