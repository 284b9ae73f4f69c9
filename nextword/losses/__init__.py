"""Cross-entropy over large vocabularies, exact and sampled, in bounded memory."""
