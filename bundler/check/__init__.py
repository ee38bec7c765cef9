"""Proof before the trip: what KOTS would refuse at the site, and what would be missing there.

Whoever resolves a spec hands every archive and file to a `Gatherer` while it is at hand; `judge`
then holds all that was gathered against every rule, and `settle` says what is allowed to pass.
`check` does all of it.
"""

from bundler.check.facts import Facts, Gatherer, ReleaseFacts, SiteFiles, facts_of, read_site_files
from bundler.check.judge import judge
from bundler.check.proof import Checked, check
from bundler.check.verdict import ALLOWABLE, Verdict, settle

__all__ = [
    "ALLOWABLE",
    "Checked",
    "Facts",
    "Gatherer",
    "ReleaseFacts",
    "SiteFiles",
    "Verdict",
    "check",
    "facts_of",
    "judge",
    "read_site_files",
    "settle",
]
