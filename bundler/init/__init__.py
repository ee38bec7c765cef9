"""A spec for whoever has none yet: questions, and the commented text that the answers make.

`questions` asks for what was not said, `compose` writes. Nothing is read or written here.
"""

from bundler.init.answers import NONE, Answers, Application, Said
from bundler.init.compose import compose
from bundler.init.questions import interview, unsaid

__all__ = ["NONE", "Answers", "Application", "Said", "compose", "interview", "unsaid"]
