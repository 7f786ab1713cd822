"""Model: tokens come in, codes go out: heads, the codebook, and `CodeModel` on disk."""
