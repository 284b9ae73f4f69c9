"""How a model reads a text: word by word, saying after each what may come next."""
