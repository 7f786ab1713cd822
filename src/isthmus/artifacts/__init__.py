"""Artifacts: a model comes in; a folder of JSON, safetensors and a card, or a repository of the hub, goes out."""
