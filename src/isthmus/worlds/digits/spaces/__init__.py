"""Spaces: image and audio layouts and texts go in, vectors and tokens of two trained spaces come out.

`feeds` makes encoder inputs, `towers` encode them, `space` pairs two towers; `recipe`, `training` and `weights`
produce the trained spaces.
"""
