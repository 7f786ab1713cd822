"""Bulk embedding: files in, embedding sets on disk out; a run that is killed continues where it stopped.

Listing (`media`) > `plan` (what is new) > `decoding` (in processes) > `encoding` (rows) > `store` (shards).
`local_runner` and `ray_runner` run decoding and encoding; `embed` is the whole.
"""
