"""Extract: media in, embedding sets out, in bulk; what was done is kept, whatever happens.

`plan` says what is to be done, `decoding` reads it in worker processes, `encoding` maps a shard of it to vectors,
`store` writes; `local` or `ray_runner` runs them. `embed` is all of it.
"""
