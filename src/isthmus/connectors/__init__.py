"""Connect: two embedding sets that share one modality go in, a `Connector` into one joint space comes out.

`overlap` (materials, centres) → `pseudo` (pseudo pairs) → a method (`methods`, or `choosing` for auto) → `trust` (the
report) → `connect` → `graph` for more than two spaces. No step needs a pair of the unshared modalities.
"""
