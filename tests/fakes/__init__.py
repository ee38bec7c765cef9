"""Stand-ins for the outside world, at the wire or as executables."""
