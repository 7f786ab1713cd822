"""Artifacts: a model comes in; a folder of JSON, safetensors and a model card, or a hub repository, goes out."""
