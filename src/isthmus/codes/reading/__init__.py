"""A `CodeModel` and tokens come in; assignments, code tables, health figures and re-ranked hits go out."""
