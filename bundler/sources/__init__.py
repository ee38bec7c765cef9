"""The places that files come from, behind one protocol (`protocol`).

`sources` chooses; `asset`, `release`, `modules`, `address` and `local` are the sources; `github`,
`portal` and `manifest` are what three of them read; `evidence` says who vouches for a digest.

Nothing is imported here: who only downloads needs none of what reads specs and portals.
"""
