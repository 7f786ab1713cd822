"""Trust: a fitted connector comes in, its report goes out: measurements, an estimate, a verdict. No pairs needed."""
