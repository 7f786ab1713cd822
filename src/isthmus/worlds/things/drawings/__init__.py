"""Drawings: the shipped sheets, or a folder of images, go in; each thing drawn in each style, framed alike, comes out.

`naming` (which thing a file draws) → `framing` (any image to 64 × 64 pixels) → `drawings` (many of them) → `sheet` and
`shipped` (those of the package), `folder` (those of a user).
"""
