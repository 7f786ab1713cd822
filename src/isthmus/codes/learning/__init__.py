"""Learning: pair sources over views come in, a trained `CodeModel` goes out."""
