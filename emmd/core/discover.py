"""Drop a file in a folder and it is found."""

import importlib
import inspect
import pkgutil
import traceback
from dataclasses import dataclass, field
from functools import cache


@dataclass(frozen=True)
class Found:
    """Plug-ins of one folder.

    Attributes
    ----------
    plugins : dict of str to object
        By name, sorted.
    broken : dict of str to str
        Traceback of every module that could not be imported.
    """

    plugins: dict = field(default_factory=dict)
    broken: dict = field(default_factory=dict)


@cache
def discover(package, base):
    """Find the plug-ins in a package.

    Parameters
    ----------
    package : str
        Dotted name; every module in it and in its folders is imported.
    base : type
        A plug-in is a concrete subclass of `base`, or an instance of it, with a
        ``name``, defined at the top level of a module.

    Returns
    -------
    Found
        A broken module is listed with its traceback and stops nothing else.
    """
    plugins: dict = {}
    broken: dict = {}
    for full in _modules(package):
        try:
            members = vars(importlib.import_module(full)).values()
        except Exception:
            broken[full] = traceback.format_exc()
            continue
        plugins |= {member.name: member for member in members if _is_plugin(member, base, full)}
    return Found(dict(sorted(plugins.items())), broken)


def _modules(package):
    """Yield the dotted names of all modules in a package and in the packages inside it."""
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        full = f"{package}.{module.name}"
        yield full
        if module.ispkg:
            yield from _modules(full)


def _is_plugin(member, base, module):
    if inspect.isclass(member):
        concrete = issubclass(member, base) and not inspect.isabstract(member)
        return concrete and member.__module__ == module and hasattr(member, "name")
    return isinstance(member, base)
