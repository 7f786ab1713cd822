"""Base: what every room uses and nothing of the field: errors, options, files written whole, hashes, progress."""
