"""The toolkit carries itself: what a site without a network needs to install it.

Read `carry` first. `target` says which machines there are and `requirements` what has to be had
for them; `fetch` gets it, from the `shelf` or with `pip`; `own` makes our own wheel. install.sh
is what runs at the site.
"""
