"""The digits world: handwritten and spoken digits go in, two trained spaces and a `World` come out.

`concepts` (which digit sequences) → `recordings` (their images and audio clips) → `spaces` (the encoders) →
`digits_world` (embeddings, galleries, media by id) → `tokens` (the same, finer); `build` puts it together.
"""
