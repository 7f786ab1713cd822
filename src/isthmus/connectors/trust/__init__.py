"""Trust: a fitted connector comes in; its report goes out: measurements, an estimate and a verdict, without pairs."""
