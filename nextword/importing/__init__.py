"""N-grams that other programs counted, as runs."""
