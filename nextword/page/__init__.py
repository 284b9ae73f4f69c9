"""The page for writing, served by ``nextword serve`` and exported as one file."""
