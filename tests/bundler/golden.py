"""The specs of `airgap-bundler init` that are kept in `tests/data/specs/`, to be read.

python -m tests.bundler.golden       write the files anew; review the difference
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bundler.init import Answers, Application, compose

FOLDER = Path(__file__).resolve().parents[1] / "data" / "specs"

CASES: Mapping[str, Answers] = {
    "first-install": Answers(
        name="harness",
        version="2026.11",
        kots="v1.131.4",
        applications=(
            Application(slug="harness", releases=("downloads/harness-79915.airgap",)),
            Application(
                slug="harness-ng", releases=("https://downloads.example.com/ng.airgap?sig=a%2Fb",)
            ),
        ),
    ),
    "upgrade": Answers(
        name="harness",
        version="2026.12",
        kots="v1.131.4",
        minio=False,
        kots_platforms=("linux/amd64", "darwin/arm64"),
        applications=(
            Application(slug="harness", releases=("sequence:412", "label:0.2"), installed="79915"),
        ),
        images=("docker.io/harness/delegate:latest", "harness/upgrader:latest"),
        toolkit_python=("3.11", "3.12"),
    ),
    "images-only": Answers(
        name="no: 1", version="1", images=("docker.io/harness/delegate:latest",)
    ),
}


def main() -> None:
    """Write every text."""
    for name, answers in CASES.items():
        (FOLDER / f"{name}.yaml").write_text(compose(answers, "harness.yaml"), encoding="utf-8")


if __name__ == "__main__":
    main()
