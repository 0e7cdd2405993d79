"""The recipes, run as they stand where the places that they name are imitated.

Nothing is replaced but folders (``/app``, ``/opt/…`` stand below a temporary one) and the port.
"""

from __future__ import annotations

import base64
import configparser
import hashlib
import re
import shlex
import shutil
import subprocess
import sys
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest
import readme
import yaml
from sandbox import LITELLM, ROOT, on_path, outside, run
from serving import assert_protected, refusal, serving, write_config

import litellm_patch
from litellm_patch.tools.lab.proxy import free_port

TEXT = (ROOT / "tests/recipes/README.md").read_text()
WHEEL = f"litellm_patch-{litellm_patch.__version__}-py3-none-any.whl"
ABSOLUTE = re.compile(
    r"(?<![\w.])/(?=(?:app|opt|tmp|wheel|litellm_patch|etc/litellm|otel-auto-instrumentation-python)\b)"
)


def block(heading: str, language: str, number: int = 0) -> str:
    found = [b for b in readme.blocks(TEXT) if (b.heading, b.language) == (heading, language)]
    return found[number].text


class Machine:
    """A folder that stands for ``/``."""

    def __init__(self, root: Path, bin: Path) -> None:
        self.root, self.environment = root, on_path(bin)

    def here(self, text: str) -> str:
        """`text` with the recipe's absolute folders below this one."""
        return ABSOLUTE.sub(f"{self.root}/", text)

    def sh(self, script: str, cwd: Path, **more: str) -> str:
        return run(
            ["sh", "-ec", self.here(script)], cwd=cwd, environment={**self.environment, **more}
        )


@pytest.fixture(scope="module")
def dist_folder(tree, reader) -> Path:
    """The project's folder with ``dist/``, after the recipes' first command."""
    run(["sh", "-c", block("Recipes", "sh")], cwd=tree, environment=on_path(reader))
    assert [path.name for path in (tree / "dist").iterdir()] == [WHEEL]
    return tree


@pytest.fixture(scope="module")
def image(image_venv, provider) -> Machine:
    """The official image: see the beginning of the recipes."""
    machine = Machine(image_venv.parents[1], image_venv / "bin")
    app = machine.root / "app"
    assert not (image_venv / "bin/pip").exists()
    installed = next(image_venv.glob("lib/python*/site-packages/litellm"))
    shutil.copytree(installed, app / "litellm", ignore=shutil.ignore_patterns("__pycache__"))
    (app / "docker").mkdir()
    entry_point = app / "docker" / "prod_entrypoint.sh"
    entry_point.write_text('#!/bin/sh\nexec litellm "$@"\n')
    entry_point.chmod(0o755)
    (machine.root / "etc/litellm").mkdir(parents=True)
    (machine.root / "tmp").mkdir()
    write_config(machine.root / "etc/litellm/config.yaml", provider.url)
    return machine


ENTRY_POINT = ("docker/prod_entrypoint.sh",)


def serve(machine: Machine, arguments: list[str], command=ENTRY_POINT, **environment: str):
    """Start the image: its entry point, in its working directory."""
    port = free_port()
    given = [machine.here(word).replace("4000", str(port)) for word in arguments]
    placed = {**machine.environment, **environment}
    return serving([*command, *given], port, cwd=machine.root / "app", environment=placed)


ARGUMENTS = ["--config", "/etc/litellm/config.yaml", "--port", "4000"]


def expanded(instruction: str, environment: dict[str, str]) -> dict[str, str]:
    """A Dockerfile's ENV, which the builder expands as a shell would."""
    name, _, value = instruction.partition("=")
    return {name: run(["sh", "-c", f'printf %s "{value}"'], cwd=ROOT, environment=environment)}


def test_the_dockerfile(image, dist_folder):
    environment: dict[str, str] = {}
    for line in block("Docker", "dockerfile").splitlines():
        word, _, rest = line.partition(" ")
        if word == "COPY":
            *stage, source, target = rest.split()
            if stage:
                shutil.copytree(image.here(source), image.here(target))
            else:
                shutil.copy(dist_folder / source, image.here(target))
        elif word == "ENV":
            environment.update(expanded(image.here(rest), environment))
            kept = expanded(rest, {"PYTHONPATH": "/image"})  # if the image has a path
            assert kept["PYTHONPATH"].endswith("/opt/litellm_patch:/image")
        elif word == "RUN":
            said = image.sh(rest, image.root / "app", **environment)
        else:
            assert word in ("FROM", "")
    assert "patch on     yes" in said
    # This once caused an outage: `python` imports another LiteLLM here than the proxy does.
    second = image.here("/app/litellm/__init__.py")
    assert f"python in this folder imports another litellm than the proxy: {second}" in said
    with serve(image, ARGUMENTS, **environment) as proxy:
        assert_protected(proxy)


def containers(template: dict) -> tuple[dict, dict]:
    """The one that prepares the pod, or an empty one, and the proxy's."""
    (first,), (main,) = template["spec"].get("initContainers", [{}]), template["spec"]["containers"]
    return first, main


def unpack(image: Machine, wheel: Path, first: dict) -> None:
    """Run the container that prepares the pod, once in an image."""
    mounted = Path(image.here("/wheel"))
    if not mounted.exists():
        mounted.mkdir()
        shutil.copy(wheel, mounted)
        command = [image.here(word) for word in first["command"]]
        run(command, cwd=image.root / "app", environment=image.environment)


def test_kubernetes(image, dist_folder):
    configmap = shlex.split(block("Kubernetes", "sh"))
    wheel = dist_folder / configmap[-1].partition("--from-file=")[2]
    assert wheel.stat().st_size < 2**20  # what a ConfigMap may hold
    template = yaml.safe_load(block("Kubernetes", "yaml"))["spec"]["template"]
    pod = template["spec"]
    first, main = containers(template)
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    for container in (first, main):
        assert {mount["name"] for mount in container["volumeMounts"]} <= set(volumes)
    assert volumes["litellm-patch-wheel"]["configMap"]["name"] == configmap[3]
    assert volumes["litellm-patch"] == {"name": "litellm-patch", "emptyDir": {}}

    if shutil.which("kubectl"):
        command = [*configmap, "--dry-run=client", "-o", "yaml"]
        made = yaml.safe_load(run(command, cwd=dist_folder))
        assert base64.b64decode(made["binaryData"][WHEEL]) == wheel.read_bytes()

    unpack(image, wheel, first)
    environment = {entry["name"]: image.here(entry["value"]) for entry in main["env"]}
    with serve(image, main["args"], **environment) as proxy:
        assert_protected(proxy)


OPERATOR = "/otel-auto-instrumentation-python"


def test_beside_the_opentelemetry_operator(image, dist_folder):
    """Its webhook puts a folder of it on each side of the container's path."""
    first, plain = containers(yaml.safe_load(block("Kubernetes", "yaml"))["spec"]["template"])
    text = block("Beside the OpenTelemetry operator", "yaml")
    _, main = containers(yaml.safe_load(text)["spec"]["template"])
    unpack(image, dist_folder / "dist" / WHEEL, first)
    start = Path(image.here(OPERATOR), "opentelemetry/instrumentation/auto_instrumentation")
    start.mkdir(parents=True)
    (start / "sitecustomize.py").write_text(
        "import sys\nsys.stderr.write('the operator is on\\n')\n"
    )

    def served(container: dict, command):
        (value,) = (entry["value"] for entry in container["env"] if entry["name"] == "PYTHONPATH")
        path = f"{start}:{image.here(value)}:{image.here(OPERATOR)}"
        return serve(image, plain["args"], command, PYTHONPATH=path)

    with served(main, main["command"]) as proxy:
        assert_protected(proxy)
        assert "the operator is on" in proxy.log.read_text()
    with served(plain, ENTRY_POINT) as proxy:  # without the recipe
        assert refusal(proxy).retry_after is None


def test_compose_with_the_wheel_itself_on_the_path(image, dist_folder):
    (service,) = yaml.safe_load(block("Docker Compose", "yaml"))["services"].values()
    for volume in service["volumes"]:
        source, target, mode = volume.split(":")
        assert mode == "ro"
        if source.endswith(".whl"):
            Path(image.here("/opt")).mkdir(exist_ok=True)
            shutil.copy(dist_folder / source, image.here(target))
    environment = {k: image.here(v) for k, v in service["environment"].items()}
    with serve(image, service["command"], **environment) as proxy:
        assert_protected(proxy)


@pytest.fixture(scope="module")
def server(tmp_path_factory, provider) -> Machine:
    """A machine with LiteLLM in a virtual environment at /opt/litellm."""
    root = tmp_path_factory.mktemp("server")
    venv = root / "opt" / "litellm"
    run(["uv", "venv", "-q", "--seed", "-p", sys.executable, venv], cwd=ROOT)
    run(["uv", "pip", "install", "-q", "-p", venv / "bin/python", LITELLM], cwd=ROOT)
    (root / "etc/litellm").mkdir(parents=True)
    write_config(root / "etc/litellm/config.yaml", provider.url)
    return Machine(root, venv / "bin")


class Unit(configparser.RawConfigParser):
    """A systemd unit, whose names keep their capitals."""

    def optionxform(self, name: str) -> str:
        return name


def changed_files(server: Machine) -> list[str]:
    """Files of LiteLLM that are not as its RECORD says."""
    (folder,) = server.root.glob("opt/litellm/lib/python*/site-packages/litellm-*.dist-info")
    return [
        str(file)
        for file in PathDistribution(folder).files or ()
        if file.hash and file.suffix == ".py" and file.hash.value != digest(file.read_binary())
    ]


def digest(content: bytes) -> str:
    found = hashlib.sha256(content).digest()
    return base64.urlsafe_b64encode(found).rstrip(b"=").decode()


def test_systemd_then_removal(server, dist_folder, tmp_path):
    with_pip, with_uv = (block("A virtual environment", "sh", number) for number in (0, 1))
    server.sh(with_uv, dist_folder)
    server.sh(with_pip, dist_folder)
    text = block("A virtual environment", "ini")
    unit = Unit(strict=False)
    unit.read_string(text)
    service = unit["Service"]
    name, _, value = service["Environment"].partition("=")
    environment = {name: server.here(value)}
    before = service["ExecStartPre"].removeprefix("-")
    said = run(shlex.split(server.here(before)), cwd=tmp_path, environment=environment)
    assert "patch on     yes" in said

    def start(command: str):
        port = free_port()
        words = shlex.split(server.here(command).replace("4000", str(port)))
        return serving(words, port, cwd=tmp_path, environment=environment)

    with start(service["ExecStart"]) as proxy:
        assert_protected(proxy)

    server.sh(block("Removal", "sh"), tmp_path)
    assert changed_files(server) == []
    environment["PYTHONPATH"] = server.here("/opt/litellm/no-more/litellm_patch/bootstrap")
    without = service["ExecStart"].replace("litellm-patch run -- litellm ", "litellm ")
    with start(without) as proxy:
        assert refusal(proxy).retry_after is None


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_accepts_the_unit(server, dist_folder, tmp_path):
    (tmp_path / "litellm.service").write_text(server.here(block("A virtual environment", "ini")))
    commands = server.root / "opt/litellm/bin"
    present = commands / "litellm-patch"
    if not present.exists():
        present.symlink_to(commands / "python")
    done = subprocess.run(
        ["systemd-analyze", "verify", str(tmp_path / "litellm.service")],
        env=outside(),
        capture_output=True,
        text=True,
    )
    ours = [line for line in done.stderr.splitlines() if "litellm" in line]
    assert (done.returncode, ours) == (0, [])
