"""Worlds: two spaces that share a modality, with the truth about which items belong together."""
