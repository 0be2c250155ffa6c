"""Symbolic proofs for the two symmetric models, and numeric oracles from the same expressions."""

from theory.symbolic.oracle import Oracle, oracle
from theory.symbolic.proof import Proof, labels, prove, sabotages
from theory.symbolic.refutation import Refutation, refute

__all__ = ["Oracle", "Proof", "Refutation", "labels", "oracle", "prove", "refute", "sabotages"]
