from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.mirror.kots_world import CHANNELS, licence_text, release
from transfer.contents import ReleaseRecord
from transfer.errors import InvalidInput, PolicyError
from transfer.kots.licence import SOON, Licence, check_channel, check_licence, choose_channel

RELEASE = release("79915", 412).release
LICENCE = Licence.parse(licence_text("harness"), "license.yaml")
SINGLE = replace(LICENCE, channels={})


def test_a_licence_is_read() -> None:
    assert LICENCE.app_slug == "harness"
    assert LICENCE.channels == {"stable": CHANNELS["harness"]}
    assert LICENCE.channel_name == "Stable"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("kind: [License", "not valid YAML"),
        ("kind: Licence\nspec: {}\n", "not a licence"),
        ("- kind: License\n", "not a licence"),
        ("kind: 2026-13-45\n", "not a licence"),
        ('kind: "\\UFFFFFFFF"\n', "not valid YAML"),
        ("kind: " + "[" * 5000, "not valid YAML"),
    ],
)
def test_what_is_no_licence(text: str, fault: str) -> None:
    with pytest.raises(InvalidInput, match=f"license.yaml: {fault}") as caught:
        Licence.parse(f"{text}# confidential", "license.yaml")
    assert "confidential" not in str(caught.value)


def test_a_licence_is_read_as_it_is_written() -> None:
    text = licence_text("harness").replace("channelName: Stable", "channelName: 1.10")
    lines = "".join(f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}]}}\n" for i in range(1, 40))
    found = Licence.parse(f"a0: &a0 {{b: c}}\n{lines}{text}", "license.yaml")
    assert (found.app_slug, found.channel_name) == ("harness", "1.10")
    forged = text.replace("1.10", '"a\\nb"')
    assert Licence.parse(forged, "license.yaml").channel_name == ""


def test_the_channel_is_the_one_the_licence_has_for_the_release() -> None:
    two = replace(LICENCE, channels={"beta": "1zOTHER", "harness-lts": CHANNELS["harness"]})
    assert choose_channel(two, "harness", RELEASE, None) == "harness-lts"
    assert choose_channel(two, "harness", RELEASE, "harness-lts") == "harness-lts"


def test_a_licence_for_one_channel_needs_no_slug() -> None:
    assert choose_channel(SINGLE, "harness", RELEASE, None) is None
    assert choose_channel(SINGLE, "harness", RELEASE, "stable") == "stable"


@pytest.mark.parametrize(
    ("licence", "release_", "chosen", "fault"),
    [
        (LICENCE, RELEASE, "beta", "does not allow the channel 'beta'; it allows stable"),
        (
            replace(LICENCE, app_slug="harness-ng"),
            RELEASE,
            None,
            "for the application 'harness-ng'",
        ),
        (LICENCE, replace(RELEASE, channel_id="1xELSE"), None, "allows stable, but release 79915"),
        (SINGLE, replace(RELEASE, channel_id="1xELSE"), None, "allows Stable, but release 79915"),
        (LICENCE, replace(RELEASE, channel_id=""), None, "names no channel"),
        (LICENCE, replace(RELEASE, channel_id="1xELSE"), "stable", "not the one that release"),
    ],
)
def test_what_kots_would_refuse_is_refused(
    licence: Licence, release_: ReleaseRecord, chosen: str | None, fault: str
) -> None:
    with pytest.raises(PolicyError, match=f"^harness: .*{fault}"):
        choose_channel(licence, "harness", release_, chosen)


NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def checked(text: str) -> list[str]:
    licence = Licence.parse(text, "license.yaml")
    return [str(one) for one in check_licence(licence, "harness", "license.yaml", NOW)]


def signed(*lines: str, version: str = "v1beta1") -> str:
    text = f"apiVersion: kots.io/{version}\nkind: License\nspec:\n  appSlug: harness\n"
    return text + "  signature: c2lnbmVk\n" + "".join(f"  {line}\n" for line in lines)


@pytest.mark.parametrize("version", ["v1beta1", "v1beta2"])
def test_a_licence_without_an_end_is_well(version: str) -> None:
    assert checked(signed(version=version)) == []
    assert checked(signed("entitlements: {expires_at: {value: ''}}", version=version)) == []
    assert checked(signed("entitlements: {seats: {value: 7}}", version=version)) == []
    assert checked(signed("entitlements: none", version=version)) == []


@pytest.mark.parametrize(
    ("left", "found"),
    [
        (timedelta(), "license-expired: harness: the licence license.yaml ended on 2026-11-22"),
        (timedelta(days=-1), "license-expired: harness: the licence license.yaml ended on 2026"),
        (timedelta(1), "license-expires: harness: the licence license.yaml ends on 2026-11-23"),
        (SOON, "license-expires: harness: the licence license.yaml ends on 2026-12-22"),
        (SOON + timedelta(seconds=1), ""),
    ],
)
def test_the_end_of_a_licence(left: timedelta, found: str) -> None:
    end = (NOW + left).isoformat()
    lines = checked(signed(f"entitlements: {{expires_at: {{value: '{end}'}}}}"))
    assert len(lines) == bool(found)
    assert "".join(lines).startswith(found)


@pytest.mark.parametrize("end", ["soon", "2030-01-01", "2030-01-01T00:00:00", "0000-00-00T00:00Z"])
def test_an_end_that_is_no_time_ends_it(end: str) -> None:
    [line] = checked(signed(f"entitlements: {{expires_at: {{value: '{end}'}}}}"))
    assert line.startswith("license-expired: harness: the licence license.yaml: expires_at is no")


@pytest.mark.parametrize("signature", ["", "  signature: ''\n", "  signature: null\n"])
def test_a_licence_without_signature(signature: str) -> None:
    text = f"kind: License\nspec:\n  appSlug: harness\n{signature}"
    assert [line.partition(":")[0] for line in checked(text)] == ["license-unsigned"]
    folded = "kind: License\nspec:\n  appSlug: harness\n  signature: |\n    c2ln\n    bmVk\n"
    assert checked(folded) == []


def test_a_licence_of_another_application() -> None:
    assert checked(signed().replace("harness", "harness-ng")) == [
        "license-slug: harness: the licence is for the application 'harness-ng'"
    ]


def test_a_channel_is_the_licences_own() -> None:
    assert check_channel(LICENCE, "harness", RELEASE) is None
    assert check_channel(SINGLE, "harness", RELEASE) is None
    for licence in (LICENCE, SINGLE):
        finding = check_channel(licence, "harness", replace(RELEASE, channel_id="1xELSE"))
        assert finding is not None
        assert finding.rule == "license-channel"
