"""The disconnected end: proves a bundle again, fills the site's registry, drives KOTS.

Images: `target` is where they go; `plan`, `push` and `audit` look, send and look again, `receipts`
keep what was found, `serve` is a registry of our own. The site: `site` is what its file says,
`kots` and `kube` are commands as values and how their answers are read, `process` runs them. An
`operation` is a plan of steps and how it is shown and carried out; `preflight`, `deploy` and
`upkeep` make the plans. Passwords are in `secret` and `credentials` alone.
"""
