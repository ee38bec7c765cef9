"""The connected end: resolves a bundle spec, proves every byte, and writes the transfer bundle.

In the order of the work: `spec` is what a person wants, `resolve` finds and proves it (with
`downloads` for what has an address) and writes it down as a lock, `build` writes the bundle.
"""
