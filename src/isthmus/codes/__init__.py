"""Codes: tokens of several modalities come in, one alphabet of discrete codes that all of them share goes on (CMCM).

`fit_codes` learns a `CodeModel` from any list of pair sources; `assign` writes items in its codes.
"""
