"""Items of each view and pairs of them (`PairSource`) come in, a trained `CodeModel` goes out (`fit_codes`)."""
