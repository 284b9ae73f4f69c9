"""Training: from a configuration and a text to a model folder."""
