"""Symbolic proofs for the two symmetric models, and numeric oracles from the same expressions."""

from emmd.theory.symbolic.oracle import Oracle, oracle
from emmd.theory.symbolic.proof import Proof, labels, prove, sabotages
from emmd.theory.symbolic.refutation import Refutation, refute
from emmd.theory.symbolic.scalar_models import model_names

__all__ = ["Oracle", "Proof", "Refutation", "labels", "model_names", "oracle", "prove", "refute", "sabotages"]
