"""Readers: the bytes of one item come in, an array goes out, or an `UnreadableError` that names the item."""
