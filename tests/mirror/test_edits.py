"""Changes to files: an item out of a list, with all else kept; files and folders that go."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mirror.operation.edits import edit
from mirror.operation.listitem import without_item
from mirror.operation.model import Change, CopyFile, Edit, RemoveFile, RemoveFolder, RemoveItem
from transfer.errors import InvalidInput, NotFound, StorageError

KEY, ITEM = "patchesStrategicMerge", "nginx-service.yaml"
KUSTOMIZATION = """\
# written by hand: keep
apiVersion: kustomize.config.k8s.io/v1beta1
bases:
- ../../base
kind:   Kustomization   # odd blanks
patchesStrategicMerge:
- pullsecrets.yaml
# the ingress of the old days
- nginx-service.yaml   # remove after the upgrade
- 'other.yaml'

resources: [secret.yaml, nginx-service.yaml]
"""
CASES = {
    "one of many": (
        KUSTOMIZATION,
        KUSTOMIZATION.replace("- nginx-service.yaml   # remove after the upgrade\n", ""),
    ),
    "the last": ("a: 1\nKEY:\n  - x\n  - ITEM", "a: 1\nKEY:\n  - x\n"),
    "the first, quoted": ('KEY:\n- "ITEM"\n- x\n', "KEY:\n- x\n"),
    "with a path": ("KEY:\n- ./ITEM\n- x\n", "KEY:\n- x\n"),
    "twice": ("KEY:\n- ITEM\n- x\n- ITEM\n", "KEY:\n- x\n"),
    "the only one": (
        "a: 1\nKEY: # these\n# why\n- ITEM # x\n# of z\nz: 2\n",
        "a: 1\n# of z\nz: 2\n",
    ),
    "nothing but it": ("KEY:\n- ITEM\n", ""),
    "line ends of Windows": ("KEY:\r\n- ITEM\r\n- x\r\n", "KEY:\r\n- x\r\n"),
    "a dash of its own line": ("KEY:\n-\n  ITEM\n- x\n", "KEY:\n- x\n"),
    "folded": ("KEY:\n- >-\n  ITEM\n- x\n", "KEY:\n- x\n"),
    "on one line": ("KEY: [x, ITEM, y] # all\n", "KEY: [x, y] # all\n"),
    "on one line, the last": ("KEY: [x, ITEM]\n", "KEY: [x]\n"),
    "on one line, the only one": ("a: 1\nKEY: [ITEM]\nz: 1\n", "a: 1\nz: 1\n"),
    "JSON": ('{"a": 1, "KEY": ["ITEM", "x"]}', '{"a": 1, "KEY": ["x"]}'),
    "JSON, the only one": ('{"a": 1, "KEY": ["ITEM"]}', '{"a": 1}'),
    "not there": (KUSTOMIZATION.replace("- nginx", "- nginy"),) * 2,
    "no list": ("a: 1\n", "a: 1\n"),
    "something else": ("KEY: ITEM\n", "KEY: ITEM\n"),
    "empty": ("", ""),
}


def filled(text: str) -> str:
    return text.replace("KEY", KEY).replace("ITEM", ITEM)


def change(path: Path, wanted: Change) -> None:
    edit(Edit(path=str(path), change=wanted))


@pytest.mark.parametrize("name", CASES)
def test_an_item_is_cut_out_and_nothing_else(name: str, tmp_path: Path) -> None:
    before, after = map(filled, CASES[name])
    path = tmp_path / "kustomization.yaml"
    path.write_bytes(before.encode())
    path.chmod(0o640)
    for _ in range(2):
        change(path, RemoveItem(key=KEY, item=ITEM))
        assert path.read_bytes() == after.encode()
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]


@given(
    st.lists(st.sampled_from([ITEM, "a.yaml", "b: c", "# d", "-", "é"]), max_size=5),
    st.sampled_from([True, False, None]),
    st.sampled_from([None, "'", '"']),
)
def test_whatever_the_list_looks_like(items: list[str], flow: bool | None, style: str) -> None:  # noqa: FBT001 - a style of YAML
    value = {"bases": ["x"], KEY: items, "resources": [ITEM]}
    dumped = yaml.dump(value, default_flow_style=flow, default_style=style, sort_keys=False)
    left = yaml.safe_load(without_item(dumped, KEY, ITEM, "k.yaml"))
    expected = {**value, KEY: [one for one in items if one != ITEM]}
    if ITEM in items and not expected[KEY]:
        del expected[KEY]
    assert left == expected


@pytest.mark.parametrize("text", ["a: [", "KEY:\n- ITEM\n---\na: 1\n", "KEY: &a [x, *b]\n"])
def test_what_is_no_yaml_of_one_document_stays(text: str, tmp_path: Path) -> None:
    path = tmp_path / "kustomization.yaml"
    path.write_text(filled(text))
    with pytest.raises(InvalidInput, match=r"kustomization\.yaml: not valid YAML"):
        change(path, RemoveItem(key=KEY, item=ITEM))
    assert path.read_text() == filled(text)


def test_what_cannot_be_cut_out_in_its_place_stays(tmp_path: Path) -> None:
    text = filled("first: &one [ITEM, x]\nKEY: *one\n")
    path = tmp_path / "kustomization.yaml"
    path.write_text(text)
    with pytest.raises(InvalidInput, match="cannot be cut out") as caught:
        change(path, RemoveItem(key=KEY, item=ITEM))
    assert "on a line of its own" in str(caught.value.hint)
    assert path.read_text() == text


def test_no_text_and_no_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"kustomization\.yaml: does not exist"):
        change(tmp_path / "kustomization.yaml", RemoveItem(key=KEY, item=ITEM))
    (tmp_path / "binary").write_bytes(b"\xff")
    with pytest.raises(InvalidInput, match="not text"):
        change(tmp_path / "binary", RemoveItem(key=KEY, item=ITEM))


def test_files_and_folders_go_and_may_be_gone(tmp_path: Path) -> None:
    folder = tmp_path / "folder/below"
    folder.mkdir(parents=True)
    (folder / "file").write_text("x")
    (tmp_path / "file").write_text("x")
    for _ in range(2):
        change(tmp_path / "file", RemoveFile())
        change(tmp_path / "folder", RemoveFolder())
        assert list(tmp_path.iterdir()) == []


def test_a_link_in_place_of_a_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/file").write_text("x")
    (tmp_path / "folder").symlink_to(tmp_path / "precious")
    with pytest.raises(StorageError):
        change(tmp_path / "folder", RemoveFolder())
    assert (tmp_path / "precious/file").read_text() == "x"


def test_a_file_is_copied_and_keeps_its_mode_and_its_links(tmp_path: Path) -> None:
    (tmp_path / "new").write_bytes(b"new\r\n")
    (tmp_path / "real").write_text("old")
    (tmp_path / "real").chmod(0o640)
    (tmp_path / "old").symlink_to("real")
    for name in ("old", "another"):
        change(tmp_path / name, CopyFile(source=str(tmp_path / "new")))
        assert (tmp_path / name).read_bytes() == b"new\r\n"
    assert (tmp_path / "old").is_symlink()
    assert (tmp_path / "real").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "another").stat().st_mode & 0o777 == 0o600
    with pytest.raises(NotFound):
        change(tmp_path / "old", CopyFile(source=str(tmp_path / "nothing")))
    assert (tmp_path / "real").read_bytes() == b"new\r\n"
