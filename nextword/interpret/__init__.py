"""Looking inside: what a network does at each word, and how far back it remembers."""
