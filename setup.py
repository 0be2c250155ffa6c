"""Where the packages lie: theory/ and experiments/ are installed inside emmd, the one name a wheel adds."""

from setuptools import find_packages, setup

_INSIDE = ("theory", "experiments")

setup(
    packages=find_packages(include=["emmd", "emmd.*"])
    + [f"emmd.{name}" for top in _INSIDE for name in find_packages(include=[top, f"{top}.*"])],
    package_dir={"emmd": "emmd"} | {f"emmd.{top}": top for top in _INSIDE},
)
