"""The registry client against fakes; `tests/real` has real registries."""
