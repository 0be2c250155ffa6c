"""Reading an experiment file: one sentence for everything that is wrong with it, before anything runs."""

import difflib
import tomllib
from importlib.resources import files
from pathlib import Path

from pydantic import ValidationError

from emmd.core.checks import describe
from emmd.experiments.snr.config.experiment import Experiment


def shipped():
    """Return the experiment files that come with the package, by name."""
    folder = files("emmd.experiments") / "configs"
    return {Path(entry.name).stem: entry for entry in folder.iterdir() if entry.name.endswith(".toml")}


def read_text(config):
    """Return the text of an experiment file, given by path or, for one of `shipped`, by name.

    Raises
    ------
    ValueError
        If there is no such file, or it is not text.
    """
    entry = Path(config)
    if not entry.is_file():
        entry = shipped().get(str(config), entry)
    try:
        return entry.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        known = ", ".join(sorted(shipped()))
        raise ValueError(
            f"CONFIG must be a readable TOML file or one of {known}, got {config}: {error}"
        ) from error


def parse(text, name="CONFIG"):
    """Return the `Experiment` that a TOML text describes.

    Parameters
    ----------
    text : str
    name : str
        What error messages call the text.

    Raises
    ------
    ValueError
        Names the key, what it must be, and the value that came.
    """
    try:
        return Experiment.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ValueError(f"{name} must be TOML: {error}") from error
    except ValidationError as error:
        raise ValueError(f"{name}: {_sentence(error.errors()[0])}") from None


def _sentence(error):
    place, came = _place(error["loc"]), describe(error["input"])
    kind = error["type"]
    if kind == "missing":
        return f"{place} is missing"
    if kind == "extra_forbidden":
        return f"{place} is not a known key, got {came}{_nearest(error['loc'][-1])}"
    if kind == "value_error":
        # our own sentences name their argument and what came
        return f"{place}: {error['ctx']['error']}"
    message = error["msg"]
    return f"{place}: {message[0].lower()}{message[1:]}, got {came}"


def _place(loc):
    # pydantic puts the kind of a start after its index: not a key of the file
    parts = [part for k, part in enumerate(loc) if not (k == 2 and loc[0] == "starts")]
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return place.lstrip(".") or "the file"


def _nearest(key):
    known = set(Experiment.model_fields)
    for field in ("model", "n", "d", "snr_expert", "snr_gate", "cosine", "method", "step_size", "tol"):
        known.add(field)
    known |= {"max_iter", "trace", "points", "kind", "distance", "scale", "count"}
    near = difflib.get_close_matches(str(key), sorted(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""
