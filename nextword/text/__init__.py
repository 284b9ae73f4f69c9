"""From a text file to word ids, and from word ids back to readable text."""
