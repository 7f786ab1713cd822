"""Preparation: an item comes in; the arrays its encoder takes go out. One file per modality, no weights.

Preparations run in decoding processes and use the checkpoint's own processors, which each process loads once, by name.
"""
