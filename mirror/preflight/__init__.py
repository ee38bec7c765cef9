"""What would fail in the maintenance window, found before it.

Harness guide, "Cluster requirements", "Step 1: Set up cluster requirements" and "Step 2: Set up
networking requirements"; infrastructure requirements of the vendor.

Every check is a function from what was seen to findings: `model` has both as values, `checks` is
the list. `questions` says beforehand what is asked, `gather` asks it, `report` shows what came of
it. Nothing is changed anywhere: uploads are begun and cancelled.
"""
