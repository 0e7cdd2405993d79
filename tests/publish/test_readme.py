"""What the README tells a newcomer to type, typed as it stands, where nothing is installed."""

from __future__ import annotations

import readme
from sandbox import on_path, run

TEXT = readme.README.read_text()
SPANS = readme.inline(readme.page("activation"))


def test_the_environment_variable_as_it_stands_turns_it_on(reader, tmp_path):
    (variable,) = (span for span in SPANS if span.startswith("PYTHONPATH="))
    script = f"export {variable}\nlitellm-patch status"
    assert "patch on     yes" in run(
        ["sh", "-c", script], cwd=tmp_path, environment=on_path(reader)
    )


def test_status_says_what_the_readme_shows(reader, tmp_path):
    block = next(b.text for b in readme.blocks(TEXT) if b.text.startswith("$ litellm-patch run"))
    command, *shown = block.splitlines()
    said = run(["sh", "-c", command[2:]], cwd=tmp_path, environment=on_path(reader))
    labels = [line[:15] for line in shown if line != "…"]
    lines = said.splitlines()
    assert [label for label in labels if not any(line.startswith(label) for line in lines)] == []
    release = shown[0].partition("(")[0]
    assert lines[0].startswith(release)
