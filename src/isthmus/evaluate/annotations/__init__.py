"""Annotations: the files that benchmarks publish go in, items with their labels, boxes or events come out.

One file per format. Every row is parsed; rows that make no sense are counted with file and reason (`Account`), never
passed over. `folder` finds annotation files and media in the folders that people have.
"""
