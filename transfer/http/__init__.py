"""HTTP as both ends speak it: to registries, release pages, portals and download servers.

`transport` sends, over connections that `trust` guards; `messages` are requests and replies;
`answers` is what came back, `failures` what did not, and `retry` says when to try again. Whatever
goes wrong comes out as one of `transfer.errors`, with nothing in it that may be secret.
"""
