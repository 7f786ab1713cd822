"""Overlap: two embedding sets come in.

Out go `Materials`, whose overlap rows correspond by id; centres to subtract; and sources that read rows block by block.
"""
