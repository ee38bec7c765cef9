"""The tests: they mirror the packages, and share what is in `tests.tools`."""
