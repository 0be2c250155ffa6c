"""Symbolic proofs for the two symmetric models, and numeric oracles from the same expressions."""

from theory.symbolic.oracle import Oracle, oracle
from theory.symbolic.proof import Proof, labels, prove, sabotages
from theory.symbolic.refutation import Refutation, refute
from theory.symbolic.scalar_models import model_names

__all__ = ["Oracle", "Proof", "Refutation", "labels", "model_names", "oracle", "prove", "refute", "sabotages"]
