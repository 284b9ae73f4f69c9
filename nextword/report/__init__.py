"""A page about one run, or about several side by side: its data and its HTML."""
