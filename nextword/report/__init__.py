"""One page about a run, or about several side by side: what is told, and how it is set."""
