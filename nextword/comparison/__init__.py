"""Several runs on the same held-out text: how they differ, and what each knows that others miss."""
