"""Base: errors, options, atomic files, hashes and progress, for every package; nothing here is about embeddings."""
