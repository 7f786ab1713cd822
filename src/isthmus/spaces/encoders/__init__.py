"""Encoders: weights come in; an `Encoder` goes out. One file per family."""
