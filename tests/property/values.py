"""Strategies for the values that are written down and read back."""

from __future__ import annotations

from hypothesis import strategies as st

from transfer.contents import (
    ArchiveFormat,
    ArchiveKind,
    ArchiveRecord,
    Contents,
    FileRecord,
    ImageRecord,
    MajorReleases,
    PluginRecord,
    ReleaseRecord,
    RequiredRelease,
)
from transfer.descriptor import ACCEPTED_TYPES, MAX_SIZE, Descriptor
from transfer.digest import Digest
from transfer.lock import BundleLock, LockedSource
from transfer.reference import Reference, Repository

_WORD = st.from_regex(r"[a-z0-9]+", fullmatch=True)
_JOINT = st.sampled_from([".", "_", "__", "-", "---"])

texts = st.text(
    st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=20
)  # what `transfer.plain` calls plain
sizes = st.integers(0, MAX_SIZE)


@st.composite
def digests(draw: st.DrawFn) -> Digest:
    algorithm, length = draw(st.sampled_from([("sha256", 64), ("sha512", 128)]))
    return Digest(algorithm, draw(st.text("0123456789abcdef", min_size=length, max_size=length)))


@st.composite
def components(draw: st.DrawFn) -> str:
    words = draw(st.lists(_WORD, min_size=1, max_size=3))
    joints = draw(st.lists(_JOINT, min_size=len(words), max_size=len(words)))
    return "".join(joint + word for joint, word in zip(joints, words, strict=True)).lstrip("._-")


def paths(least: int = 1) -> st.SearchStrategy[str]:
    return st.lists(components(), min_size=least, max_size=3).map("/".join)


hosts = st.one_of(
    st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9-]{0,5}\.[A-Za-z0-9]+|:[0-9]{1,5})", fullmatch=True),
    st.sampled_from(["localhost", "[::1]", "[::1]:5000", "127.0.0.1:5000", "UPPER"]),
)
repositories = st.one_of(
    st.builds(Repository, hosts, paths()),
    st.builds(Repository, st.just("docker.io"), paths(least=2)),
)
tags = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", fullmatch=True)
references = st.one_of(
    st.builds(Reference, repositories, tags),
    st.builds(Reference, repositories, st.none() | tags, digests()),
)

roots = st.builds(
    Descriptor, media_type=st.sampled_from(ACCEPTED_TYPES), digest=digests(), size=sizes
)
images = st.builds(ImageRecord, name=texts, root=roots)
file_names = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters="/\\"),
    min_size=1,
).filter(lambda part: part.isprintable() and part not in (".", ".."))
bundle_paths = st.lists(file_names, min_size=1, max_size=3).map("/".join)
files = st.builds(FileRecord, path=bundle_paths, size=sizes, digest=digests())
maybe = st.just("") | texts
releases = st.builds(
    ReleaseRecord,
    app_slug=maybe,
    version_label=maybe,
    channel_id=maybe,
    channel_name=maybe,
    update_cursor=maybe,
    is_required=st.booleans(),
    required_releases=st.lists(
        st.builds(RequiredRelease, version_label=maybe, update_cursor=maybe), max_size=2
    ).map(tuple),
    min_kots_version=maybe,
    target_kots_version=maybe,
)
archives = st.builds(
    ArchiveRecord,
    kind=st.sampled_from(ArchiveKind),
    file_name=file_names,
    size=sizes,
    digest=digests(),
    format=st.sampled_from(ArchiveFormat),
    release=releases,
    slim=st.none() | bundle_paths,
    compressor=st.none() | texts,
    images=st.lists(images, max_size=2).map(tuple),
)
contents = st.builds(
    Contents,
    name=texts,
    version=texts,
    archives=st.lists(archives, max_size=2).map(tuple),
    images=st.lists(images, max_size=2).map(tuple),
    plugins=st.lists(st.builds(PluginRecord, platform=texts, file=files), max_size=2).map(tuple),
    files=st.lists(files, max_size=2).map(tuple),
    major_releases=st.lists(
        st.builds(MajorReleases, slug=texts, labels=st.lists(texts, max_size=2).map(tuple)),
        max_size=2,
    ).map(tuple),
    allowed=st.lists(texts, max_size=2).map(tuple),
)
locks = st.builds(
    BundleLock,
    sources=st.lists(
        st.builds(LockedSource, entry=texts, source=texts, size=sizes, digest=digests()),
        max_size=2,
    ).map(tuple),
    contents=contents,
)
