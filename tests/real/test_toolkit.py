"""The carried toolkit is installed and used where no network reaches, and refuses what changed."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from bundler.spec.values import Toolkit
from bundler.toolkit.carry import ToolkitFile, carry
from bundler.toolkit.fetch import Wheels
from bundler.toolkit.own import WHEEL
from bundler.toolkit.shelf import Shelf
from bundler.toolkit.target import MACHINES
from tests.disks import small_disk
from tests.isolation import Isolated, interfaces, isolated
from tests.processes import running, wait_for
from tests.real.product import ENVIRONMENT, Carried, bundler, command, execute, write_spec
from tests.tools import need
from transfer import __version__
from transfer.digest import Digest

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
BASE = Path(sys.base_prefix) / "bin" / f"python{PYTHON}"
"""An interpreter that knows nothing of what these tests are installed with."""
HERE = Toolkit(
    platforms=(next(name for name in MACHINES if MACHINES[name] == platform.machine()),),
    python=(PYTHON,),
)
SHELLS = (("sh",), ("dash",), ("busybox", "sh"), ("bash", "--posix"))

pytestmark = pytest.mark.real


def write(files: tuple[ToolkitFile, ...], folder: Path) -> Path:
    """The folder as it lies in a bundle."""
    for file in files:
        path = folder / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
    return folder


@pytest.fixture(scope="session")
def wheels(shared: Path) -> Wheels:
    """Where wheels come from: this host's index, once for all workers."""
    return Wheels(shelf=Shelf(shared / "cache"), environ=os.environ)


@pytest.fixture(scope="session")
def files(wheels: Wheels, shared: Path) -> tuple[ToolkitFile, ...]:
    """Everything that is carried for this machine."""
    with (shared / "toolkit.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return carry(HERE, wheels)


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """A spec that carries the toolkit and one file."""
    (tmp_path / "note.txt").write_text("for the site\n")
    path = tmp_path / "harness.yaml"
    wanted = {"platforms": [*HERE.platforms], "python": [*HERE.python]}
    write_spec(path, files=[{"name": "note.txt", "path": "note.txt"}], toolkit=wanted)
    return path


@pytest.fixture
def toolkit(files: tuple[ToolkitFile, ...], tmp_path: Path) -> Path:
    """`files/toolkit/`, as it arrived at the site."""
    return write(files, tmp_path / "medium" / "files" / "toolkit")


@dataclass(frozen=True, slots=True)
class Site:
    """Somebody at an isolated machine, with an empty home and nothing in the environment."""

    home: Path
    place: Isolated

    def run(self, *argv: str | Path, cwd: Path | None = None, **more: str) -> tuple[int, str, str]:
        """Run a program; its exit code and what it wrote to stdout and stderr."""
        done = subprocess.run(
            self.place.argv(argv),
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.home), **more},
            cwd=cwd or self.home,
            check=False,
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout, done.stderr

    def works(self, *argv: str | Path) -> str:
        """Run a program that must succeed; what it wrote to stdout."""
        code, out, err = self.run(*argv)
        assert code == 0, f"{argv}: exit code {code}\n{out}{err}"
        return out

    def install(self, toolkit: Path, prefix: Path) -> str:
        """Install, which must succeed; what was said."""
        return self.works("sh", toolkit / "install.sh", "--python", BASE, prefix)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    home = tmp_path / "home"
    home.mkdir()
    with isolated() as place:
        yield Site(home, place)


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    return tmp_path / "prefix"


def change(toolkit: Path, name: str, edit: Callable[[bytes], bytes]) -> None:
    """Change a file of a toolkit, and put its checksum right."""
    path = toolkit / name
    path.write_bytes(edit(path.read_bytes()))
    sums = toolkit / "SHA256SUMS"
    digest = sha256(path.read_bytes()).hexdigest()
    sums.write_text(
        re.sub(rf"^\w+  {name}$", f"{digest}  {name}", sums.read_text(), flags=re.MULTILINE)
    )


def places(prefix: Path) -> set[str]:
    """What is installed below a prefix."""
    return {path.name for path in (prefix / "lib/harness-airgap").iterdir()} - {"current"}


def test_it_is_installed_and_used_without_a_network(
    site: Site, spec: Path, prefix: Path, carried: Carried, scratch: Path
) -> None:
    bundle = scratch / "bundle"
    bundler("build", spec, "-o", bundle)
    told = "    sh files/toolkit/install.sh\n"
    assert told in (bundle / "README.txt").read_text()
    assert told not in (carried.bundle / "README.txt").read_text()
    assert interfaces(site.place) == {"lo"}
    reach = "import socket; socket.create_connection(('192.0.2.1', 443), 1)"
    assert "Network is unreachable" in site.run(BASE, "-c", reach)[2]

    said = site.install(bundle / "files/toolkit", prefix)
    mirror = prefix / "bin/airgap-mirror"
    assert f"installed: {mirror}, {prefix / 'bin/airgap-bundler'}" in said
    assert f'put it on PATH:  export PATH="{prefix}/bin:$PATH"' in said
    assert site.works(mirror, "--version") == f"airgap-mirror, version {__version__}\n"
    assert "Usage: airgap-bundler" in site.works(prefix / "bin/airgap-bundler", "--help")

    site.works(mirror, "verify", bundle, carried.bundle)
    site.works(mirror, "push", carried.bundle, "--to", f"oci:{scratch / 'store'}")
    config, log = scratch / "registry.yml", scratch / "registry.log"
    storage = {"filesystem": {"rootdirectory": str(scratch / "registry")}}
    settings = {"version": "0.1", "storage": storage, "http": {"addr": "127.0.0.1:5000"}}
    config.write_text(json.dumps(settings))
    registry = site.place.argv([need("docker-registry"), "serve", config])
    with running(registry, stdout=scratch / "access.log", stderr=log) as process:
        wait_for(lambda: "listening on 127.0.0.1:5000" in log.read_text(), process, log)
        connection = ("--to", "127.0.0.1:5000/harness", "--plain-http")
        site.works(mirror, "push", carried.bundle, *connection)
        site.works(mirror, "audit", carried.bundle, *connection)


def test_a_lock_says_which_toolkit_is_carried(
    spec: Path, files: tuple[ToolkitFile, ...], tmp_path: Path
) -> None:
    secluded = {**ENVIRONMENT, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    execute(command("bundler", "lock", spec), env=secluded)
    sources = json.loads(spec.with_suffix(".lock.json").read_text())["sources"]
    locked = {source["entry"]: source for source in sources}
    for file in files:
        source = locked[f"toolkit[{file.name}]"]
        assert source["digest"] == str(file.record.digest)
        assert source["size"] == file.record.size
        assert HERE.platforms[0] in source["source"]

    # Nothing is asked of an index any more: the cache has what the lock names.
    alone = {**secluded, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_NO_CACHE_DIR": "1"}
    for name in ("one", "two"):
        execute(command("bundler", "build", spec, "-o", tmp_path / name), env=alone)
    execute(["diff", "--recursive", "--no-dereference", tmp_path / "one", tmp_path / "two"])
    for file in files:
        carried = (tmp_path / "one" / file.record.path).read_bytes()
        assert Digest.of(carried) == file.record.digest


def test_what_is_installed_uses_nothing_of_this_host_but_python(
    site: Site, toolkit: Path, prefix: Path
) -> None:
    site.install(toolkit, prefix)
    python = prefix / "lib/harness-airgap/current/bin/python"
    script = "import json, sys; print(json.dumps(sys.path))"
    *standard, own = map(Path, json.loads(site.works(python, "-I", "-c", script)))
    assert own.is_relative_to(prefix)
    assert all(path.is_relative_to(sys.base_prefix) for path in standard)
    assert not any(path.name.endswith("-packages") for path in standard)
    assert site.run(python, "-I", "-m", "pip")[0] != 0  # it only came to install


def test_what_is_installed_makes_the_same_wheel_of_itself(
    site: Site, toolkit: Path, prefix: Path
) -> None:
    site.install(toolkit, prefix)
    script = (
        "import sys; from bundler.toolkit.carry import own_requirements; "
        "from bundler.toolkit.own import own_wheel; "
        "open(sys.argv[1], 'wb').write(own_wheel(own_requirements()))"
    )
    python = prefix / "lib/harness-airgap/current/bin/python"
    site.works(python, "-I", "-c", script, site.home / WHEEL)
    assert (site.home / WHEEL).read_bytes() == (toolkit / "wheels" / WHEEL).read_bytes()


def test_plain_tools_can_check_the_folder(toolkit: Path) -> None:
    done = subprocess.run(
        ["sha256sum", "--strict", "-c", "SHA256SUMS"],
        cwd=toolkit,
        check=True,
        capture_output=True,
        text=True,
    )
    checked = {line.removesuffix(": OK") for line in done.stdout.splitlines()}
    present = {str(path.relative_to(toolkit)) for path in toolkit.rglob("*") if path.is_file()}
    assert checked == present - {"SHA256SUMS"}


def test_the_same_toolkit_is_carried_every_time(
    files: tuple[ToolkitFile, ...], wheels: Wheels, tmp_path: Path
) -> None:
    locked = {file.name: file.record.digest for file in files}
    again = carry(HERE, wheels, locked)
    write(again, tmp_path / "again")
    elsewhere = Wheels(shelf=Shelf(tmp_path / "cache"), environ=os.environ)
    for found in (again, carry(HERE, elsewhere), carry(HERE, elsewhere, locked)):
        assert [file.record for file in found] == [file.record for file in files]


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def link(path: Path) -> None:
    path.rename(path.with_suffix(".real"))
    path.symlink_to(path.with_suffix(".real").name)


def drop_line(path: Path) -> None:
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))


DAMAGES = [
    ("wheels/click-*", flip, "damaged: expected SHA-256"),
    ("wheels/pip-*", cut, "damaged: expected SHA-256"),
    ("wheels/click-*", Path.unlink, "missing"),
    ("wheels/oras-*", link, "missing"),
    ("wheels/evil-1.0-py3-none-any.whl", Path.touch, "not listed in SHA256SUMS"),
    ("wheels/.evil-1.0-py3-none-any.whl", Path.touch, "not listed in SHA256SUMS"),
    ("requirements.txt", flip, "damaged: expected SHA-256"),
    ("requirements.txt", Path.unlink, "missing"),
    ("install.sh", lambda path: path.write_text(path.read_text() + "\n"), "damaged"),
]


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
@pytest.mark.parametrize("change", DAMAGES)
def test_what_changed_on_the_way_is_refused(
    toolkit: Path,
    prefix: Path,
    shell: tuple[str, ...],
    change: tuple[str, Callable[[Path], object], str],
) -> None:
    pattern, damage, fault = change
    name = next((str(p.relative_to(toolkit)) for p in toolkit.glob(pattern)), pattern)
    damage(toolkit / name)
    code, err = install_with(shell, toolkit, prefix)
    assert code == 4
    assert f"  - {name}: {fault}" in err
    assert "sha256sum --quiet -c SHA256SUMS" in err
    assert not prefix.exists()


def install_with(shell: tuple[str, ...], toolkit: Path, *arguments: str | Path) -> tuple[int, str]:
    """Run install.sh in a shell; its exit code and what it wrote to stderr."""
    done = subprocess.run(
        [need(shell[0]), *shell[1:], toolkit / "install.sh", *map(str, arguments)],
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"},
        stdin=subprocess.DEVNULL,
        check=False,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stderr


def test_every_fault_is_told_at_once(toolkit: Path, prefix: Path) -> None:
    flip(next(toolkit.glob("wheels/click-*")))
    (toolkit / "requirements.txt").unlink()
    (toolkit / "wheels/evil.whl").touch()
    code, err = install_with(("sh",), toolkit, prefix)
    assert code == 4
    assert len(re.findall(r"^  - ", err, re.MULTILINE)) == 3


@pytest.mark.parametrize("damage", [Path.unlink, drop_line, cut])
def test_a_list_of_checksums_that_is_not_whole_is_refused(
    toolkit: Path, prefix: Path, damage: Callable[[Path], object]
) -> None:
    damage(toolkit / "SHA256SUMS")
    code, _ = install_with(("sh",), toolkit, "--python", BASE, prefix)
    assert code == 4
    assert not prefix.exists()


def test_pip_takes_no_wheel_with_another_hash(toolkit: Path, prefix: Path) -> None:
    wheel = next(toolkit.glob("wheels/click-*"))
    change(toolkit, f"wheels/{wheel.name}", lambda content: content + b"x")  # and its checksum
    code, err = install_with(("sh",), toolkit, "--python", BASE, prefix)
    assert code == 10
    assert "DO NOT MATCH THE HASHES" in err
    assert "nothing was changed" in err


@pytest.mark.parametrize("shell", SHELLS[1:], ids=" ".join)
def test_any_shell_and_blanks_in_paths_will_do(
    toolkit: Path, tmp_path: Path, shell: tuple[str, ...]
) -> None:
    medium = toolkit.rename(tmp_path / "a medium")
    prefix = tmp_path / "a prefix"
    assert install_with(shell, medium, f"--python={BASE}", prefix)[0] == 0
    subprocess.run([prefix / "bin/airgap-mirror", "--version"], check=True, capture_output=True)


def test_python_is_found_on_path(site: Site, toolkit: Path, prefix: Path) -> None:
    programs = site.home / "programs"
    programs.mkdir()
    (programs / f"python{PYTHON}").symlink_to(BASE)
    code, out, err = site.run(
        "sh",
        "medium/files/toolkit/install.sh",
        "prefix",
        cwd=prefix.parent,
        PATH=f"{programs}:/usr/bin:/bin",
    )
    assert code == 0, err
    assert f"with {programs}/python{PYTHON}" in out
    assert (prefix / "bin/airgap-mirror").exists()


def test_what_somebody_configured_is_not_in_the_way(
    site: Site, toolkit: Path, prefix: Path, tmp_path: Path
) -> None:
    for module in ("venv", "click", "sitecustomize"):
        (tmp_path / f"{module}.py").write_text("raise RuntimeError('not to be used')")
    config = site.home / ".config/pip/pip.conf"
    config.parent.mkdir(parents=True)
    config.write_text(f"[global]\nindex-url = http://192.0.2.1/\ntarget = {tmp_path / 'target'}\n")
    settings = {
        "PYTHONPATH": str(tmp_path),
        "PYTHONHOME": str(tmp_path),
        "PIP_TARGET": str(tmp_path / "target"),
        "PIP_REQUIRE_VIRTUALENV": "1",
        "CDPATH": "/:/usr",
    }
    argv: list[str | Path] = ["sh", "files/toolkit/install.sh", "--python", BASE, prefix]
    code, _, err = site.run(*argv, cwd=toolkit.parents[1], **settings)
    assert code == 0, err
    site.works(prefix / "bin/airgap-mirror", "--version")
    assert not (tmp_path / "target").exists()


def test_a_python_that_nothing_was_carried_for_is_told(toolkit: Path, prefix: Path) -> None:
    change(toolkit, "install.sh", lambda text: text.replace(f"'{PYTHON}'".encode(), b"'3.99'"))
    for choice, reason in ((BASE, f"it is Python {PYTHON}"), ("/bin/true", "it is no Python")):
        code, err = install_with(("sh",), toolkit, "--python", choice, prefix)
        assert code == 5
        assert f"  - {choice}: {reason}" in err
        assert f"CPython 3.99 on {HERE.platforms[0]}" in err
    code, err = install_with(("sh",), toolkit, prefix)
    assert code == 5
    assert "looked for python3.99 python3" in err
    assert not prefix.exists()


@pytest.mark.parametrize(
    ("variable", "reason"), [("machines", "it is for linux"), ("glibc", "its C library is glibc")]
)
def test_another_machine_is_told(toolkit: Path, prefix: Path, variable: str, reason: str) -> None:
    def edit(text: bytes) -> bytes:
        return re.sub(
            rf"^{variable}=.*$".encode(), f"{variable}='9.9'".encode(), text, flags=re.MULTILINE
        )

    change(toolkit, "install.sh", edit)
    code, err = install_with(("sh",), toolkit, "--python", BASE, prefix)
    assert code == 5
    assert reason in err


def test_it_is_installed_once(site: Site, toolkit: Path, prefix: Path) -> None:
    site.install(toolkit, prefix)
    before = places(prefix)
    assert "is installed in" in site.install(toolkit, prefix)
    assert places(prefix) == before


def test_what_no_longer_works_is_installed_again(site: Site, toolkit: Path, prefix: Path) -> None:
    site.install(toolkit, prefix)
    next(prefix.glob("lib/harness-airgap/0*/lib/*/site-packages/click/core.py")).unlink()
    assert site.run(prefix / "bin/airgap-mirror", "--version")[0] != 0
    site.install(toolkit, prefix)
    site.works(prefix / "bin/airgap-mirror", "--version")


def newer(toolkit: Path, mark: str) -> None:
    """Make another version of a toolkit: it differs in a comment."""
    change(toolkit, "requirements.txt", lambda text: text + f"# {mark}\n".encode())


def test_a_newer_one_takes_its_place_and_the_one_before_is_kept(
    site: Site, toolkit: Path, prefix: Path
) -> None:
    seen = []
    for mark in ("one", "two", "three"):
        newer(toolkit, mark)
        site.install(toolkit, prefix)
        seen.append((prefix / "lib/harness-airgap/current").readlink().name)
    assert len(set(seen)) == 3
    assert places(prefix) == {*seen[1:]}
    site.works(prefix / "bin/airgap-mirror", "--version")
    site.works("ln", "-sfn", seen[1], prefix / "lib/harness-airgap/current")  # and back
    site.works(prefix / "bin/airgap-mirror", "--version")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_one_leaves_what_is_there(
    site: Site, toolkit: Path, prefix: Path, tmp_path: Path, number: signal.Signals
) -> None:
    site.install(toolkit, prefix)
    before = places(prefix)
    newer(toolkit, "two")
    log = tmp_path / "log"
    with (
        log.open("wb") as file,
        subprocess.Popen(
            ["sh", toolkit / "install.sh", "--python", BASE, prefix],
            stdout=file,
            stderr=file,
            process_group=0,
        ) as process,
    ):
        wait_for(lambda: any(prefix.glob("lib/harness-airgap/0*/installing")), process, log)
        os.killpg(process.pid, number)
    assert process.returncode not in (0, None)
    assert (places(prefix) == before) is (number is not signal.SIGKILL)
    site.works(prefix / "bin/airgap-mirror", "--version")

    site.install(toolkit, prefix)
    assert len(places(prefix)) == 2
    assert before < places(prefix)


def test_another_program_of_the_same_name_is_left_alone(toolkit: Path, prefix: Path) -> None:
    other = prefix / "bin/airgap-bundler"
    other.parent.mkdir(parents=True)
    other.write_text("somebody's")
    code, err = install_with(("sh",), toolkit, "--python", BASE, prefix)
    assert code == 8
    assert f"{other} is another program" in err
    assert other.read_text() == "somebody's"
    assert not (prefix / "lib").exists()


def test_a_prefix_that_cannot_be_written(toolkit: Path, prefix: Path) -> None:
    prefix.write_text("a file")
    code, err = install_with(("sh",), toolkit, "--python", BASE, prefix)
    assert code == 9
    assert f"cannot write to {prefix}" in err


def test_a_full_disk_leaves_what_is_there(site: Site, toolkit: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "24m") as disk:
        site.install(toolkit, disk)
        before = places(disk)
        newer(toolkit, "two")
        code, err = install_with(("sh",), toolkit, "--python", BASE, disk)
        assert code == 10
        assert "No space left on device" in err
        assert places(disk) == before
        site.works(disk / "bin/airgap-mirror", "--version")


def test_everyone_may_run_what_a_careful_root_installed(toolkit: Path, prefix: Path) -> None:
    script = f'umask 077 && sh "{toolkit}/install.sh" --python "{BASE}" "{prefix}"'
    subprocess.run(["sh", "-c", script], check=True, capture_output=True)
    modes = [path.stat().st_mode for path in prefix.rglob("*") if path.name != "pyvenv.cfg"]
    assert all(mode & 0o004 for mode in modes)
    assert (prefix / "lib/harness-airgap/current").stat().st_mode & 0o005 == 0o005


@pytest.mark.parametrize("arguments", [("--wrong",), ("one", "two"), ("--python",)], ids=" ".join)
def test_a_wrong_command_line(toolkit: Path, arguments: tuple[str, ...]) -> None:
    code, err = install_with(("sh",), toolkit, *arguments)
    assert code == 2
    assert "hint: see sh install.sh --help" in err


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_help_tells_what_it_needs(toolkit: Path, shell: tuple[str, ...]) -> None:
    done = subprocess.run(
        [need(shell[0]), *shell[1:], toolkit / "install.sh", "--help"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith("usage: sh install.sh [--python PYTHON] [PREFIX]\n")
    assert f"It is for CPython {PYTHON} on {HERE.platforms[0]}, with glibc 2.28" in done.stdout
    assert "@" not in done.stdout
    assert done.stderr == ""


def test_the_folder_is_small(toolkit: Path, tell: Callable[[str], None]) -> None:
    size = sum(path.stat().st_size for path in toolkit.rglob("*") if path.is_file())
    tell(f"the toolkit for one platform and one Python: {size / 1e6:.1f} MB")
    assert size < 20_000_000
