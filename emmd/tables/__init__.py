"""From tables to features: formulas for experts and gate."""
