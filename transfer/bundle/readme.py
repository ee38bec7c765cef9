"""`README.txt`: how to check and use a bundle, for a person who has only this folder."""

from __future__ import annotations

from transfer.contents import TOOLKIT, Contents

README_FILE = "README.txt"

_TEXT = """\
{title}
{rule}

This folder is a transfer bundle of harness-airgap (format airgap/v1). It carries container
images, KOTS archives and files to a place that no network reaches. bundle.json lists them.


Check it, in this folder

    sha256sum --quiet -c SHA256SUMS

Nothing printed and exit status 0: every listed byte is the one that was built. SHA256SUMS is
written last, so a folder without it is not complete. With the toolkit, which also finds files
that do not belong here and images with parts missing:

    airgap-mirror verify .

{install}
Use it with the toolkit

    airgap-mirror plan . --site SITE.yaml                  what would be sent; writes nothing
    airgap-mirror push . --site SITE.yaml                  interrupted? the same command continues
    airgap-mirror install . --site SITE.yaml --dry-run     the KOTS commands, exactly
    airgap-mirror install . --site SITE.yaml               runs them; upgrade for a newer release

SITE.yaml describes the registry, the cluster and the licences of a site. Without one, plan and
push take the registry as --to REGISTRY:PORT/NAMESPACE, or a folder as --to oci:FOLDER.


Use it by hand

The images are an OCI image layout: oci-layout, index.json, blobs/. Tools that read a layout
take an image by its digest, for example

    regctl image copy ocidir://.@sha256:DIGEST REGISTRY:PORT/NAMESPACE/NAME:TAG

Other tools read it from a registry, which this folder becomes on 127.0.0.1:5000 by

    airgap-mirror serve .

until Ctrl-C; there every image has the last part of its name, as KOTS pushes it:

    skopeo copy --all --src-tls-verify=false \\
        docker://127.0.0.1:5000/NAME:TAG docker://REGISTRY:PORT/NAMESPACE/NAME:TAG

kots/SLUG/VERSION.airgap is the vendor's archive without its images, for
`kubectl kots install` and `kubectl kots upstream upgrade` with --disable-image-push, after the
images were pushed. files/ holds plain files under their own names, and below files/kubectl-kots/
the plugin of the matching version: unpack it, and put the program kots in it on PATH under the
name kubectl-kots.
"""

_INSTALL = f"""
Install the toolkit, once the bundle is checked: no network and no root are needed

    sh {TOOLKIT}/install.sh --help
    sh {TOOLKIT}/install.sh

"""


def readme(contents: Contents) -> bytes:
    """The text for a bundle with these contents."""
    title = f"{contents.name} {contents.version}"
    carried = any(file.path.startswith(f"{TOOLKIT}/") for file in contents.files)
    install = _INSTALL if carried else ""
    return _TEXT.format(title=title, rule="=" * len(title), install=install).encode()
