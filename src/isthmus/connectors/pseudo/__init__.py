"""Pseudo pairs: overlap rows and a memory come in.

Out goes the pseudo counterpart of each row by semantic consistency: over the whole memory (`exact`) or the lists of it
that matter (`lists`), as `consistency` decides.
"""
