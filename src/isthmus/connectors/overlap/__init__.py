"""Overlap: two embedding sets come in; out go `Materials`, whose overlap rows correspond, and centres to subtract."""
