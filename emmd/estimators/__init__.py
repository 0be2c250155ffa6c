"""Mixtures of experts as scikit-learn estimators, and the file that keeps a fitted one."""
