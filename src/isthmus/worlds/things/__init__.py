"""The things world: scenes of drawn things and spoken sentences go in, two trained spaces and a `World` come out.

`things` (what can be drawn and said) → `scenes` (which things, how many, how large, in which tint and order) →
`drawings` and `speech` (their images and audio clips) → `spaces` (the encoders) → `things_world` (embeddings,
galleries, media by id) → `tokens` (the same, finer); `build` puts it together.
"""
