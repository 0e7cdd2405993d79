"""From the README alone to a protected proxy, a protected app, and a patched fork.

Each test starts where a reader does, with an environment that has LiteLLM, and types the commands
in the README. It replaces only the port, the folder DIR, and in `probe` the host and the name of
the variable with the key.
"""

from __future__ import annotations

import shutil

import readme
from sandbox import on_path, run
from serving import MODEL, assert_protected, refusal, serving, write_config

from litellm_patch.tools.lab.client import call
from litellm_patch.tools.lab.proxy import MASTER_KEY, free_port

TEXT = readme.README.read_text()
TOLD = range(30, 62)
"""Seconds; pacing is on, which adds a client's place to the rest of the 60 seconds."""


def test_a_protected_proxy(reader, provider, tmp_path):
    blocks = readme.blocks(readme.section(TEXT, "Turn it on"))
    first = next(block.text for block in blocks if block.language == "sh")
    assert first.rstrip() == "litellm-patch run -- litellm --config config.yaml --port 4000"
    write_config(tmp_path / "config.yaml", provider.url)
    port = free_port()
    command = first.replace("4000", str(port))
    with serving(command, port, cwd=tmp_path, environment=on_path(reader)) as proxy:
        assert_protected(proxy)
        (probe,) = (s for s in readme.inline(TEXT) if s.startswith("litellm-patch probe"))
        probe = probe.replace("http://host:4000", proxy.url).replace("NAME", "KEY")
        assert f"--model {MODEL} " in probe
        environment = {**on_path(reader), "KEY": MASTER_KEY}
        said = run(["sh", "-c", probe], cwd=tmp_path, environment=environment)
        assert "the client is told when to come back" in said


def test_the_environment_variable_as_it_stands_turns_it_on(reader, tmp_path):
    spans = readme.inline(readme.page("activation"))
    (variable,) = (span for span in spans if span.startswith("PYTHONPATH="))
    script = f"export {variable}\nlitellm-patch status"
    said = run(["sh", "-c", script], cwd=tmp_path, environment=on_path(reader))
    assert "patch on     yes" in said


def test_status_says_what_the_readme_shows(reader, tmp_path):
    block = next(b.text for b in readme.blocks(TEXT) if b.text.startswith("$ litellm-patch run"))
    command, *shown = block.splitlines()
    said = run(["sh", "-c", command[2:]], cwd=tmp_path, environment=on_path(reader))
    labels = [line[:15] for line in shown if line != "…"]
    lines = said.splitlines()
    assert [label for label in labels if not any(line.startswith(label) for line in lines)] == []
    assert lines[0].startswith(shown[0].partition("(")[0])


APP = """
import litellm
from fastapi import FastAPI

PROVIDER = {{"api_base": "{url}", "api_key": "k"}}
app = FastAPI()
router = litellm.Router(
    model_list=[
        {{"model_name": "m", "litellm_params": {{"model": model, **PROVIDER}}}}
        for model in ("openai/a", "openai/b")
    ],
    cooldown_time=60, num_retries=0, allowed_fails=0,
)

@app.get("/ask")
async def ask():
    return await router.acompletion(model="m", messages=[{{"role": "user", "content": "x"}}])
"""


def test_a_protected_app(reader, provider, tmp_path):
    block = next(
        block for block in readme.blocks(readme.page("own_app")) if "install(app)" in block.text
    )
    (tmp_path / "app.py").write_text(APP.format(url=f"{provider.url}/v1") + block.text)
    port = free_port()
    command = ["uvicorn", "app:app", "--port", str(port)]
    with serving(command, port, cwd=tmp_path, environment=on_path(reader)) as app:
        answers = [call(app.url, "/ask", None, {}) for _ in range(8)]
    # The provider's own refusals are for the app to handle; the router's are not its errors.
    assert {answer.status for answer in answers} == {500, 429}
    assert int(answers[-1].retry_after or 0) in TOLD
    assert b'"type":"rate_limit_error"' in answers[-1].body


def test_a_patched_fork(reader, provider, tmp_path):
    fork = (readme.ROOT / "patches" / "README.md").read_text()
    (block,) = readme.blocks(readme.section(fork, "In short"))
    diff, apply = block.text.splitlines()
    released = next((reader.parent / "lib").glob("python*/site-packages/litellm"))
    forks = {name: tmp_path / name for name in ("checkout", "folder")}
    for fork in forks.values():
        shutil.copytree(released, fork / "litellm", ignore=shutil.ignore_patterns("__pycache__"))
    metadata = next(released.parent.glob("litellm-*.dist-info"))
    shutil.copytree(metadata, forks["folder"] / metadata.name)

    run(["git", "init", "-q"], cwd=forks["checkout"])
    run(["sh", "-c", diff], cwd=forks["checkout"], environment=on_path(reader))
    apply = apply.replace("DIR", str(forks["folder"]))
    run(["sh", "-c", apply], cwd=tmp_path, environment=on_path(reader))
    patched = [fork / "litellm/types/router.py" for fork in forks.values()]
    assert (
        patched[0].read_text()
        == patched[1].read_text()
        != (released / "types/router.py").read_text()
    )

    write_config(tmp_path / "config.yaml", provider.url)
    port = free_port()
    command = ["litellm", "--config", str(tmp_path / "config.yaml"), "--port", str(port)]
    environment = {**on_path(reader), "PYTHONPATH": str(forks["checkout"])}
    with serving(command, port, cwd=tmp_path, environment=environment) as proxy:
        assert int(refusal(proxy).retry_after or 0) in TOLD
