"""Readers: a source comes in; its image, audio windows, video frames, points or vector go out, one file per kind."""
