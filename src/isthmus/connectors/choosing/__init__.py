"""Choosing: what `auto` does. Materials come in, a blend of members and the reason for it come out."""
