"""The disconnected end: proves a bundle again, fills the site's registry, drives KOTS."""
