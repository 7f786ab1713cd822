"""Encoders: one file a family. A checkpoint comes in, a `Space` goes out."""
