"""PointBERT: point clouds come in, one vector a cloud goes out (the point tower of ULIP)."""
