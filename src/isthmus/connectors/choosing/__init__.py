"""Choosing: centred materials come in, the blend of `auto` comes out.

`criteria` score every closed form of the `pool` on `evidence` that needs no pairs, and `ranking` combines the scores.
"""
