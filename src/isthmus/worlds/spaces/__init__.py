"""Spaces of worlds: what every trained space has in common, whatever its items are.

`space` pairs an item tower with a text tower, `text_towers` read words in order, `contrastive` trains a space on its
own pairs, `weights` keeps trained spaces on disk.
"""
