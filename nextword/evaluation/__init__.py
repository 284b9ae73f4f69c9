"""How good a model is, measured on text that it has not seen."""
