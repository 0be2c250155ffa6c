"""Families with kernels of generalised linear models, and options."""

FAMILIES = [("poisson", {}), ("bernoulli", {}), ("gamma", {}), ("categorical", {"n_classes": 3})]
