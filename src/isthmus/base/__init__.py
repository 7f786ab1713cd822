"""Base: what every package uses and knows nothing of the field: errors, options, atomic files, hashes, progress."""
