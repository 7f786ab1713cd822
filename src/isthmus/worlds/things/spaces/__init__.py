"""Spaces of the things world: layouts and sentences go in, vectors and tokens of two trained spaces come out.

`feeds` makes encoder inputs, `towers` encode them, `recipe` and `training` produce the trained spaces.
"""
