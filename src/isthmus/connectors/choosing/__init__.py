"""Choosing: centred materials come in, the blend of `auto` comes out.

The blend's closed forms are fixed; `criteria` on `evidence` that needs no pairs decide the share of a trained member.
"""
