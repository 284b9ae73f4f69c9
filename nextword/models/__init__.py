"""The networks: one file per family behind the interface in :mod:`nextword.models.base`."""
