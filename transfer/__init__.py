"""What both ends of an air gap must agree on, byte for byte.

The bundler writes what this package defines and the mirror reads it; neither imports the
other, so whoever audits the isolated site reads `transfer` and `mirror` and nothing else.
"""

__version__ = "0.1.0"
