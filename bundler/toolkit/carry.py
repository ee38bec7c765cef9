"""The toolkit as it is carried: `files/toolkit/` of a bundle, with everything that installs it.

Our own wheel, the list of requirements and the checksums are made here, and install.sh is told
what it has to know. The same code and the same wheels give the same bytes.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bundler.spec.values import Toolkit
from bundler.toolkit.fetch import Wheel, Wheels
from bundler.toolkit.own import NAME, WHEEL, own_wheel
from bundler.toolkit.requirements import INSTALLER, Requirement, parse_requirements
from bundler.toolkit.target import GLIBC, MACHINES, platforms, pythons, targets
from transfer import __version__
from transfer.contents import TOOLKIT, FileRecord
from transfer.digest import Digest
from transfer.disk import storage_errors

CHECKSUMS = "SHA256SUMS"
INSTALL = "install.sh"
REQUIREMENTS = "requirements.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolkitFile:
    """One file of the carried toolkit."""

    record: FileRecord
    content: bytes

    @property
    def name(self) -> str:
        """Its name below the toolkit's folder, for example `wheels/click-8.5.1-py3-….whl`."""
        return self.record.path.removeprefix(f"{TOOLKIT}/")


def carry(
    toolkit: Toolkit, wheels: Wheels, locked: Mapping[str, Digest] | None = None
) -> tuple[ToolkitFile, ...]:
    """Everything of `files/toolkit/`, by path.

    Args:
        toolkit: The machines of the site.
        wheels: Where those of the requirements come from.
        locked: What a lock says of these files, by their `name`. No other wheel is taken; what
            is made here is the caller's to compare.

    Raises:
        InvalidInput: nothing can be carried for such machines, or the lock was made by another
            version of the toolkit.
        TransferError: as `Wheels.fetch`.
    """
    wanted, requirements = targets(toolkit), own_requirements()
    if locked is None:
        found = wheels.fetch(wanted, requirements)
    else:
        found = wheels.fetch_locked(wanted, requirements, _foreign_wheels(locked))
    return tuple(sorted(_files(toolkit, requirements, found), key=lambda file: file.name))


def own_requirements() -> tuple[Requirement, ...]:
    """What the running toolkit needs, and the pip that installs it.

    Raises:
        InvalidInput, NotFound: the installation is damaged.
    """
    return parse_requirements(_data("requirements.lock"))


def _foreign_wheels(locked: Mapping[str, Digest]) -> dict[str, Digest]:
    names = {name.removeprefix("wheels/"): digest for name, digest in locked.items()}
    return {
        name: digest for name, digest in names.items() if name.endswith(".whl") and name != WHEEL
    }


def _files(
    toolkit: Toolkit, requirements: Sequence[Requirement], wheels: Sequence[Wheel]
) -> Iterator[ToolkitFile]:
    own = own_wheel(requirements)
    files = [_file(f"wheels/{wheel.file_name}", wheel.content) for wheel in wheels]
    files += [
        _file(f"wheels/{WHEEL}", own),
        _file(REQUIREMENTS, _requirements(requirements, wheels, Digest.of(own)).encode()),
        _file(INSTALL, _script(toolkit).encode()),
    ]
    yield from files
    sums = sorted((file.name, file.record.digest.encoded) for file in files)
    yield _file(CHECKSUMS, "".join(f"{digest}  {name}\n" for name, digest in sums).encode())


def _file(name: str, content: bytes) -> ToolkitFile:
    record = FileRecord(path=f"{TOOLKIT}/{name}", size=len(content), digest=Digest.of(content))
    return ToolkitFile(record=record, content=content)


def _requirements(requirements: Sequence[Requirement], wheels: Sequence[Wheel], own: Digest) -> str:
    """The file that pip installs from: what is carried, and nothing else, will do."""
    ours = Requirement(name=NAME, version=__version__, marker="", digests=frozenset({own}))
    carried = [needed.among([wheel.digest for wheel in wheels]) for needed in requirements]
    lines = [needed.line() for needed in carried if needed.digests and needed.name != INSTALLER]
    return "".join([ours.line(), *lines])


def _script(toolkit: Toolkit) -> str:
    """install.sh, told what is carried."""
    names = platforms(toolkit)
    told = {
        "VERSION": __version__,
        "PYTHONS": " ".join(pythons(toolkit)),
        "PLATFORMS": " ".join(names),
        "MACHINES": " ".join(MACHINES[name] for name in names),
        "GLIBC": GLIBC,
    }
    script = _data(INSTALL)
    for name, value in told.items():
        script = script.replace(f"@{name}@", value)
    return script


def _data(name: str) -> str:
    with storage_errors(f"the toolkit's own {name}"):
        return importlib.resources.files("bundler.toolkit").joinpath(name).read_text("utf-8")
