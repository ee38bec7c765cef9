"""The images that files of a release name."""

from __future__ import annotations

import pytest

from transfer.kots import images
from transfer.kots.images import POSSIBLE, NamedImages
from transfer.yamlfile import load_texts

POD = "{containers: [{name: c, image: a:1}], initContainers: [{image: b:1}]}"


def read(text: str) -> NamedImages:
    found = NamedImages()
    found.take_document(load_texts(text))
    return found


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (f"kind: Pod\nspec: {POD}", ["a:1", "b:1"]),
        (f"kind: Deployment\nspec: {{template: {{spec: {POD}}}}}", ["a:1", "b:1"]),
        (
            f"kind: CronJob\nspec: {{jobTemplate: {{spec: {{template: {{spec: {POD}}}}}}}}}",
            ["a:1", "b:1"],
        ),
        (f"kind: List\nitems: [{{spec: {POD}}}, {{spec: {POD}}}]", ["a:1", "b:1"]),
        ("spec: {ephemeralContainers: [{image: c:1}]}", ["c:1"]),
        (
            "apiVersion: kots.io/v1beta1\nkind: Application\nspec: {additionalImages: [d:1, e@x]}",
            ["d:1", "e@x"],
        ),
        ("apiVersion: other/v1\nspec: {additionalImages: [d:1]}", []),
        ("spec: {image: a:1}", []),
        ("spec: {containers: {image: {type: string}}}", []),
        ("spec: {containers: [{image: [a]}, {image: ''}, {image: a b}, x]}", []),
        ('spec: {containers: [{image: "a\\n"}, {image: "\\u202e:1"}]}', []),
    ],
)
def test_pods_and_kots_name_images(text: str, names: list[str]) -> None:
    assert list(read(text).names) == names
    assert not names or POSSIBLE.search(text)


@pytest.mark.parametrize("name", ["repl{{ LocalImageName }}", "{{repl x}}", "a:$(TAG)", "a:${T}"])
def test_a_template_is_counted(name: str) -> None:
    found = read(f"spec: {{containers: [{{image: '{name}'}}]}}")
    assert (found.names, found.templated) == ((), 1)


@pytest.mark.parametrize(
    ("lines", "names", "templated"),
    [
        ("  image: a:1\n", ["a:1"], 0),
        ("  - image: 'a:1'  # c\n", ["a:1"], 0),
        ('  "image": "a:1",\n', ["a:1"], 0),
        ("  image: a:1 # latest\n", ["a:1"], 0),
        ("  image: {{ .Values.image }}\n  image: x{{ y }}\n", [], 2),
        ('  image: "{{ .repository }}:{{ .tag }}"\n', [], 1),
        ("  image:\n    repository: x\n", [], 0),
        ("  myimage: x\n  # image: x\n", [], 0),
        ("  image: [x]\n", [], 0),
        ('  image: "a:1\n', ["a:1"], 0),
    ],
)
def test_templates_are_read_line_by_line(lines: str, names: list[str], templated: int) -> None:
    found = NamedImages()
    found.take_template(lines)
    assert (list(found.names), found.templated) == (names, templated)


def test_a_document_that_holds_itself_a_billion_times_is_walked_once() -> None:
    laughs = "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 40))
    text = f"a0: &a0 {{containers: [{{image: a:1}}]}}\n{laughs}"
    assert read(text).names == ("a:1",)


def test_names_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_NAMES", 3)
    found = NamedImages()
    found.take_template(f"image: {'b' * 600}\n" + "".join(f"image: a:{i}\n" for i in range(9)))
    assert found.names == ("a:0", "a:1", "a:2")
