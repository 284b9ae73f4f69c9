"""Every figure, and the style that they share: fit for a paper and readable in grey."""
