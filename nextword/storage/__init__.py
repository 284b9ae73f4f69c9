"""Files on disk: atomic writes, checksums, tensors, run folders, the metrics log and the lock."""
