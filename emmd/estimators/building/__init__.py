"""What an estimator makes of its parameters before it fits."""
