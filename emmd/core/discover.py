"""Drop a file in a folder and it is found; so are plug-ins of installed packages and the user's own files."""

import importlib
import importlib.util
import inspect
import pkgutil
import sys
import traceback
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from emmd.core.checks import describe, file_path, known_name


@dataclass(frozen=True)
class Found:
    """Plug-ins, where they lie, and what could not be imported.

    Attributes
    ----------
    plugins : dict of str to object
        By name, sorted.
    broken : dict of str to str
        Traceback of every module, entry point or file that could not be imported, or what is wrong with it.
    places : dict of str to str
        The module, entry point or file of each plug-in.
    """

    plugins: dict[str, Any] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)

    def __or__(self, other: "Found") -> "Found":
        """Join two finds.

        Raises
        ------
        ValueError
            When each holds another plug-in of one name.
        """
        for name in sorted(self.plugins.keys() & other.plugins.keys()):
            if self.plugins[name] is not other.plugins[name]:
                places = f"{self.places[name]} and {other.places[name]}"
                raise ValueError(f"name must belong to one plug-in, got {name!r} in {places}; rename one")
        plugins = dict(sorted((self.plugins | other.plugins).items()))
        return Found(plugins, self.broken | other.broken, other.places | self.places)

    @property
    def outside(self) -> list[str]:
        """Names of the plug-ins that are not emmd's own."""
        return [name for name, place in sorted(self.places.items()) if not place.startswith("emmd.")]

    def named(self, argument: str, name: Any) -> Any:
        """Return the plug-in of a name.

        Raises
        ------
        ValueError, TypeError
            Naming the argument, what is known, and what could not be imported: it may be among that.
        """
        try:
            return self.plugins[known_name(argument, name, self.plugins)]
        except ValueError as error:
            ends = [f"{place} is broken: {text.splitlines()[-1]}" for place, text in self.broken.items()]
            raise ValueError("; ".join([str(error), *ends])) from None


@cache
def discover(package: str, base: type, group: str | None = None, classes: bool = False) -> Found:
    """Find the plug-ins in a folder of emmd's, and those that installed packages bring.

    Parameters
    ----------
    package : str
        Dotted name; every module in it and in its folders is imported.
    base : type
        A plug-in is an instance of `base` with a ``name``, defined at the top level of a module.
    group : str, optional
        Entry points of this group name a plug-in, or a module that holds some.
    classes : bool
        Plug-ins are concrete subclasses of `base` instead.

    Returns
    -------
    Found
        What is broken is listed with its traceback and stops nothing else.

    Raises
    ------
    ValueError
        For two plug-ins of one name.
    """
    found = Found()
    for full in _modules(package):
        found |= _found(full, lambda full=full: importlib.import_module(full), base, classes)
    # packages are asked where a name is looked up, never at import
    for point in () if group is None else entry_points(group=group):
        found |= _of_package(point, base, classes)
    return found


def discover_files(name: str, path: Any, base: type, classes: bool = False) -> Found:
    """Find the plug-ins in the user's own file, or in the files of a folder.

    Parameters
    ----------
    name : str
        What error messages call the path.
    path : str or Path
        A Python file, or a folder: its files whose names begin with a letter are imported.
    base, classes
        As for `discover`.

    Returns
    -------
    Found
        A file that cannot be imported is listed with its traceback and stops nothing else.

    Raises
    ------
    ValueError
        For no Python file, no plug-in anywhere, or two plug-ins of one name.
    """
    found = Found()
    for file in _files(name, path):
        found |= _found(str(file), lambda file=file: import_file(file), base, classes)
    if not (found.plugins or found.broken):
        raise ValueError(f"{name} must hold {_wanted(base, classes)} at the top level, got none in {path}")
    return found


def python_file(name: str, path: Any, expected: str = "a Python file") -> Path:
    """Return a path if it is that of a Python file, or raise a ValueError or TypeError."""
    file = file_path(name, path)
    if not (file.is_file() and file.suffix == ".py"):
        raise ValueError(f"{name} must be {expected}, got {describe(str(file))}")
    return file.resolve()


def import_file(file: Path) -> ModuleType:
    """Return the module of a Python file, imported once; it may import what lies beside it.

    Its name is its path: no file of the user's can take the place of another module.
    """
    name = str(file)
    if name in sys.modules:
        return sys.modules[name]
    if str(file.parent) not in sys.path:
        sys.path.append(str(file.parent))
    spec: Any = importlib.util.spec_from_file_location(name, file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _modules(package):
    """Yield the dotted names of all modules in a package and in the packages inside it."""
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        full = f"{package}.{module.name}"
        yield full
        if module.ispkg:
            yield from _modules(full)


def _files(name, path):
    """Return the Python files that a path names."""
    folder = file_path(name, path)
    if folder.is_dir():
        return [file.resolve() for file in sorted(folder.glob("[A-Za-z]*.py"))]
    return [python_file(name, path, "a Python file or a folder")]


def _found(place, load, base, classes):
    """Return what one module, file or entry point holds."""
    try:
        loaded = load()
    # a script that ends itself is as broken as one that raises
    except (Exception, SystemExit):
        return Found(broken={place: traceback.format_exc()})
    found = Found()
    for member in vars(loaded).values() if inspect.ismodule(loaded) else [loaded]:
        if _is_plugin(member, base, classes) and not _is_borrowed(member, loaded):
            found |= Found({member.name: member}, {}, {member.name: place})
    return found


def _of_package(point, base, classes):
    """Return what an entry point names; unlike a file of a folder it must name something."""
    place = f"{point.value} (entry point {point.name!r} of {point.group})"
    found = _found(place, point.load, base, classes)
    if found.plugins or found.broken:
        return found
    return Found(broken={place: f"{place} must be or hold {_wanted(base, classes)}, got {point.load()!r}"})


def _wanted(base, classes):
    return f"a subclass of {base.__name__} with a name" if classes else f"a {base.__name__} object"


def _is_borrowed(member, module):
    """Return whether a class was imported into a module: it is found where it is defined."""
    return inspect.isclass(member) and inspect.ismodule(module) and member.__module__ != module.__name__


def _is_plugin(member, base, classes):
    if not classes:
        return isinstance(member, base) and isinstance(member.name, str)
    concrete = inspect.isclass(member) and issubclass(member, base) and not inspect.isabstract(member)
    return concrete and isinstance(getattr(member, "name", None), str)
