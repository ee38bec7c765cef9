"""The JSON Schema of a bundle spec: what `bundler.spec` reads, said to editors."""

from __future__ import annotations

from bundler.schema.inputs import input_keys, input_rules, release_archive
from bundler.schema.kots import kots
from bundler.spec.kots import SLUG
from bundler.spec.values import PORTAL
from transfer.schema.patterns import ADDRESS, BUNDLE_PATH, IMAGE, IMAGE_PLATFORM, PLATFORM
from transfer.schema.words import (
    Schema,
    absent,
    at_most_one,
    document,
    either,
    exactly_one,
    filled,
    given,
    mapping,
    several,
    text,
    where,
)

_CARRIED = ("kots", "applications", "imageArchives", "images", "files", "toolkit")


def spec_schema() -> Schema:
    """Of a `BundleSpec`."""
    return document(
        "BundleSpec",
        "Spec of a transfer bundle",
        mapping(
            "What crosses the gap. Relative paths start at the file's folder; no password is in "
            "it, only where it is found.",
            {"anyOf": [filled(key) for key in _CARRIED]},
            required={
                "name": text("The bundle's name.", "harness"),
                "version": text("The bundle's version; change it for each carry.", "2026.11"),
            },
            optional={
                "portal": _portal(),
                "kots": kots(),
                "applications": several(
                    "The applications, in the order in which the site installs them.",
                    _application(),
                ),
                "imageArchives": several(
                    "Archives of images, such as the modules of Harness's Helm line.",
                    _image_archive(),
                ),
                "images": several(
                    "Images that no archive holds, such as delegates.", _image(), unique=True
                ),
                "files": several("Plain files that travel along.", _file()),
                "toolkit": _toolkit(),
            },
        ),
    )


def _portal() -> Schema:
    return mapping(
        "The vendor's download portal, for releases with portal:.",
        at_most_one("licenseIdEnv", "licenseIdFile"),
        at_most_one("passwordEnv", "passwordFile"),
        optional={
            "api": text("Its address.", pattern=ADDRESS, default=PORTAL.api),
            "licenseIdEnv": text(
                "The environment variable that holds the licence's ID; or licenseIdFile.",
                default="HARNESS_LICENSE_ID",
            ),
            "licenseIdFile": text("A file that holds it.", "secrets/license-id"),
            "passwordEnv": text(
                "The environment variable that holds the portal's password; or passwordFile.",
                default="HARNESS_PORTAL_PASSWORD",
            ),
            "passwordFile": text("A file that holds it.", "secrets/portal-password"),
        },
    )


def _application() -> Schema:
    label = text("A version label.", "79000")
    return mapping(
        "An application, and the releases of it to carry.",
        required={
            "slug": text(
                "As its licence and its archives name it.", "harness", pattern=SLUG.pattern
            ),
            "releases": several(
                "Oldest first: every release on the way of an upgrade.",
                mapping("One release.", required={"archive": release_archive()}),
                least=1,
            ),
        },
        optional={
            "installed": text(
                "The version label that runs at the site; without it, nothing is installed there.",
                "79915",
            ),
            "license": text("Its licence; checked, and never carried.", "license.yaml"),
            "configValues": text(
                "Its configuration values; checked, and never carried.", "configvalues.yaml"
            ),
            "majorReleases": several(
                "Labels of the vendor's major releases, oldest first: no step of an upgrade may "
                "take more than four.",
                label,
                unique=True,
            ),
        },
    )


def _image_archive() -> Schema:
    named = {"allOf": [given("modules"), absent("path", "url", "sha256")]}
    plain = {"allOf": [exactly_one("path", "url"), absent("modules")]}
    return mapping(
        "A docker-save archive of images, or several of a manifest from Harness support.",
        where(given("manifest"), named, plain),
        optional={
            **input_keys("platform_images.tgz"),
            "manifest": text(
                "The manifest with a signed address for each module; or path:, url:.",
                "smp-bundle-manifest.yaml",
            ),
            "modules": several(
                "The modules wanted of the manifest, as it names them.",
                text("A module.", "platform", "ci/plugins", pattern=BUNDLE_PATH),
                least=1,
                unique=True,
            ),
        },
    )


def _image() -> Schema:
    reference = "docker.io/harness/delegate:non-root-openshift"
    chosen = mapping(
        "An image, and what is wanted of it.",
        where(given("engine"), {"properties": {"platforms": {"maxItems": 0}}}),
        required={"image": text("Its reference.", reference, pattern=IMAGE)},
        optional={
            "platforms": several(
                "Of an image for several platforms, those wanted; by default all.",
                text("os/architecture[/variant]", "linux/amd64", pattern=IMAGE_PLATFORM),
                unique=True,
            ),
            "engine": text(
                "Take it from a local Docker or Podman engine: `default` for the one that "
                "DOCKER_HOST names, or the address of its socket.",
                "default",
                "unix:///run/podman/podman.sock",
                pattern="default|unix:///.*",
            ),
        },
    )
    plain = text("A reference.", reference, pattern=IMAGE)
    return either("A reference, or more about it.", plain, chosen)


def _file() -> Schema:
    return mapping(
        "A plain file.",
        *input_rules(),
        required={
            "name": text(
                "Its path below files/ in the bundle.",
                "values/configvalues.yaml",
                pattern=BUNDLE_PATH,
            )
        },
        optional=input_keys("configvalues.yaml"),
    )


def _toolkit() -> Schema:
    return mapping(
        "This toolkit itself, to be installed at the site without a network.",
        required={
            "platforms": several(
                "Of the machines it will run on.",
                text("os/architecture", "linux/amd64", pattern=PLATFORM),
                least=1,
                unique=True,
            ),
            "python": several(
                "The Python versions of those machines.", text("A version.", "3.11"), least=1
            ),
        },
    )
