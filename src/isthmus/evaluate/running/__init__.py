"""Running a task: annotations and media, or sets embedded before, go in; figures with their coverage come out.

`sources` (vectors of items, from encoders or sets) > `views` (which space encodes what, and the projection) >
`retrieval`, `zero_shot`, … (figures per query) > `run` (a result). `checking` looks without embedding.
"""
