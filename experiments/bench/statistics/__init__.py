"""Statistical promises counted by simulation: too long for a test."""
