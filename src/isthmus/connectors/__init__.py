"""Connect: two embedding sets that share one modality go in, a `Connector` into one joint space comes out.

`materials` → `centring` → `consistency` (pseudo pairs) → a method (`closed_forms`, `cmcr`, `exmcr`, `auto`)
→ `connector` and its `report`. Everything up to the report works without a single true pair.
"""
