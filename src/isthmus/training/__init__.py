"""Training: an objective and a schedule come in, trained weights go out, resumable and over several processes."""
