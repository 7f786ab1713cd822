"""Recordings: handwriting and speech, shipped or from files, go in; layouts of images and audio clips come out.

`handwriting` and `speech` hold the banks and compose items of them, `*_files` read them, `shipped` has the defaults.
"""
