"""The days after an install: downtime, logs, licences, customisations of before.

`down` and `up` start from what `standing` reads; `ingress`, `logs` and `licences` stand alone.
"""
