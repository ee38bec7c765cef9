"""What holds for every input, not only for the ones somebody thought of."""
