"""Bulk embedding: files in, embedding sets on disk out; a run that is killed continues where it stopped.

Listing (`media`) > `plan` (what is new) > `decoding` (in processes) > `encoding` (rows) > `store` (shards).
An item that `decoding` cannot read becomes a `Failure` in ``errors.parquet`` (`records`), and the job goes on.
`local_runner` and `ray_runner` run decoding and encoding; `embed` is the whole.
"""
