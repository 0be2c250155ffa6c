"""Families of experts, one file each; any concrete `Family` in this folder is found by its name."""
