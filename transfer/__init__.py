"""What both ends of an air gap must agree on, byte for byte, and what both do in one way.

The bundler writes what this package defines and the mirror reads it; neither imports the
other, so whoever audits the isolated site reads `transfer` and `mirror` and nothing else.

Read `copy` first: the one algorithm, with `graph`, `sending`, `run` and `delivery`. It speaks of
`digest`, `reference` and `descriptor`, and moves between the places of `store`: `layout`,
`bundle`, `archive` and `registry`. What stands in files is `contents`, `lock` and `receipt`; what
a site calls an image, `naming` and `relocate`; `sources`, `verify`, `report` and `console` are
common to both command lines.
"""

__version__ = "0.1.0"
