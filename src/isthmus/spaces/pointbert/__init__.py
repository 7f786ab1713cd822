"""PointBERT, the point tower of ULIP: point clouds come in; one vector per cloud goes out."""
