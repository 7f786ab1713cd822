"""Tokens come in, codes go out: each view's head, the one codebook, and `CodeModel` with its folder on disk."""
