"""Fashion-MNIST (Xiao, Rasul and Vollgraf 2017), as Debian's package dataset-fashion-mnist installs it."""

import gzip
import hashlib
import os
from functools import cache
from pathlib import Path

import numpy as np

DATA_DIR = "EMMD_DATA_DIR"
"""Environment variable with the folder to look in first; worker processes inherit it."""

_DEBIAN = "/usr/share/datasets/fashion-mnist"

_DIGESTS = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
"""SHA-256 of the unpacked files: runs are named by their config, so the data must be the same everywhere."""


def fashion_mnist():
    """Return images and labels of the training and of the test set.

    Returns
    -------
    images, labels : ndarray of uint8, shapes (60000, 28, 28) and (60000,)
    test_images, test_labels : ndarray of uint8, shapes (10000, 28, 28) and (10000,)

    Raises
    ------
    ValueError
        When a file is missing or is not that of Fashion-MNIST.
    """
    return _load(os.environ.get(DATA_DIR) or _DEBIAN)


@cache
def _load(folder):
    images, labels, test_images, test_labels = (_unpacked(Path(folder), name) for name in _DIGESTS)
    shape = (-1, 28, 28)
    return (
        np.frombuffer(images, np.uint8, offset=16).reshape(shape),
        np.frombuffer(labels, np.uint8, offset=8),
        np.frombuffer(test_images, np.uint8, offset=16).reshape(shape),
        np.frombuffer(test_labels, np.uint8, offset=8),
    )


def _unpacked(folder, name):
    data = _read(folder, name)
    if hashlib.sha256(data).hexdigest() != _DIGESTS[name]:
        raise ValueError(
            f"the file {name} of Fashion-MNIST must be the published one, got another in {folder}"
        )
    return data


def _read(folder, name):
    plain = folder / name
    packed = folder / f"{name}.gz"
    try:
        return plain.read_bytes() if plain.is_file() else gzip.decompress(packed.read_bytes())
    except (OSError, EOFError) as error:
        raise ValueError(
            f"Fashion-MNIST must be installed (Debian's package dataset-fashion-mnist) or its folder given "
            f"with --data-dir, got no readable {packed.name} in {folder}: {error}"
        ) from error
