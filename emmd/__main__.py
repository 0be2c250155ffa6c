"""``python -m emmd`` is the command ``emmd``."""

from emmd.experiments.cli import main

main()
