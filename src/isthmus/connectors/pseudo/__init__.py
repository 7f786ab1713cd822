"""Pseudo pairs: overlap rows and a memory come in; out goes each row's pseudo counterpart by semantic consistency."""
