"""Worlds and baselines that only benchmarks use: recipes and digits worlds go in, `World`s and codes come out."""
