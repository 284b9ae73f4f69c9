"""From a model folder and a few words to the words most likely to come next."""
