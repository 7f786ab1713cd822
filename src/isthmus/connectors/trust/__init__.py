"""Trust: a fitted connector comes in; its report (measurements, an estimate, a verdict; no pairs needed) goes out."""
