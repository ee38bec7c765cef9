"""The disconnected end: proves a bundle again, fills the site's registry, drives KOTS.

Images: `target` is where they go; `plan`, `push` and `audit` look, send and look again, `receipts`
keep what was found, `serve` is a registry of our own. KOTS: `site` is what the site file says,
`kots` the commands as values, `process` runs them, `outcome` reads what they say, and `deploy`
makes installs and upgrades of them. Passwords are in `secret` and `credentials` alone.
"""
