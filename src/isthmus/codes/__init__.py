"""Tokens of several modalities come in, one codebook of discrete codes that all of them share goes out (CMCM).

`fit_codes` trains a `CodeModel` on pair sources; `assign_codes` assigns tokens to its codes.
"""
