"""The n-gram: counts of word sequences, smoothed; fitted in seconds, without a gradient."""
