"""The configuration of applications at a site: what releases ask, and what the site answers."""
