"""Preparing: an item comes in, the arrays an encoder takes go out. Needs no weights; runs in decoding processes."""
