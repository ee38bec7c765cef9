"""What KOTS demands of what crosses, known to both ends: decided here, read elsewhere."""
