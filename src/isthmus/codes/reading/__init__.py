"""Reading: codes come in; out go assignments, code tables, health figures and re-ranked hits."""
