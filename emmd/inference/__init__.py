"""What a fit says beside its coefficients: covariances, intervals, resamples, quantiles, residuals, K."""
