"""Worlds: two spaces that share a modality, with the truth about which items are counterparts.

`world` defines what a world is; `digits` is the one that ships with the package. Worlds that only benchmarks use
are in benchmarks/worlds.
"""
