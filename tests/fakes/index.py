"""A package index as pip sees one: a page of links for each project, and the files (PEP 503)."""

from __future__ import annotations

import base64
import io
import zipfile
from dataclasses import dataclass, field
from typing import ClassVar

from tests.fakes.faulty import Exchange, FaultyServer
from transfer.digest import Digest

LOGIN = ("reader", "horse-battery-staple")


class _Index(Exchange):
    def serve(self) -> None:
        """The page of a project, or a file."""
        index = self.server.owner
        assert isinstance(index, PackageIndex)
        if index.private and self.headers.get("Authorization") != _basic():
            return self.answer(401, {"WWW-Authenticate": 'Basic realm="index"'})
        kind, _, name = self.path.strip("/").partition("/")
        if kind == "files" and name in index.files:
            return self.answer(200, None, index.files[name])
        found = [file for file in index.files if kind == "simple" and _project(file) == name]
        if not found:
            return self.answer(404)
        links = "".join(f'<a href="/files/{file}{index.mark(file)}">{file}</a>' for file in found)
        return self.answer(200, {"Content-Type": "text/html"}, f"<html>{links}</html>".encode())


@dataclass(slots=True)
class PackageIndex(FaultyServer):
    """Serves `files`, wheels by their names."""

    handler: ClassVar[type[Exchange]] = _Index

    files: dict[str, bytes] = field(default_factory=dict)
    private: bool = False
    """Ask for `LOGIN`."""
    marked: bool = True
    """Say the hash of each file on the page."""

    @property
    def url(self) -> str:
        """The address for pip; with the password, where one is asked for."""
        login = f"{':'.join(LOGIN)}@" if self.private else ""
        return f"http://{login}{self.host}/simple/"

    def mark(self, file: str) -> str:
        """The end of the link to a file."""
        return f"#sha256={Digest.of(self.files[file]).encoded}" if self.marked else ""


def wheel(name: str, version: str = "1.0", tag: str = "py3-none-any") -> tuple[str, bytes]:
    """A wheel that pip takes, and its file name."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
        f"{info}/RECORD": "",
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path), text)
    return f"{name}-{version}-{tag}.whl", buffer.getvalue()


def _project(file: str) -> str:
    return file.partition("-")[0].replace("_", "-")


def _basic() -> str:
    return f"Basic {base64.b64encode(':'.join(LOGIN).encode()).decode()}"
