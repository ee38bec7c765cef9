"""The connected end: resolves a bundle spec, proves every byte, and writes the transfer bundle."""
