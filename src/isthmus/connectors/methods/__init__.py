"""Methods: materials and a config come in, a fitted `Member` comes out.

Closed forms need second moments of pairs; `cmcr` and `exmcr` train projectors; `plugins` says how to add your own.
"""
