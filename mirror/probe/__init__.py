"""What a registry is like, found out before a push depends on it; see `questions`."""

from mirror.probe.asking import Finding
from mirror.probe.questions import REPOSITORY, Probe

__all__ = ["REPOSITORY", "Finding", "Probe"]
