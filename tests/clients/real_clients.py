"""The clients of the table, and how each is started.

An SDK or HTTP library plays all its cells in one process (players/), an agent has a process for
each. Agents get a dummy key, a home of their own, and for everything but loopback a proxy that does
not exist, so that nothing leaves the machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Callable

from install_clients import folder_of, node_of, python_of

from litellm_patch.tools.lab.proxy import MASTER_KEY as KEY

PLAYERS = Path(__file__).parent / "players"
OPENAI, ANTHROPIC = "openai", "anthropic"


@dataclass(frozen=True)
class Job:
    """One cell for a client to play."""

    cell: str
    url: str
    model: str


Report = Callable[[Mapping[str, Any]], None]
"""Called with what became of a job: `cell`, `served`, `note`, and `closed` in seconds."""


@dataclass(frozen=True)
class Client:
    """A client.

    Attributes:
        provider: whose API it speaks.
        player: the program in players/ and its argument; None for an agent.
        agent: makes command and environment of an agent from a job and its home.
    """

    name: str
    provider: str
    player: tuple[str, str] | None = None
    agent: Callable[[Path, Job, Path], tuple[list[str], dict[str, str]]] | None = None


def _claude_code(folder: Path, job: Job, home: Path) -> tuple[list[str], dict[str, str]]:
    command = [str(folder / "node_modules" / ".bin" / "claude"), "-p", "say one word"]
    return [*command, "--model", job.model], {
        "ANTHROPIC_BASE_URL": job.url,
        "ANTHROPIC_API_KEY": KEY,
        "ANTHROPIC_SMALL_FAST_MODEL": job.model,
        "CLAUDE_CONFIG_DIR": str(home),
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_TELEMETRY": "1",
        "DISABLE_ERROR_REPORTING": "1",
        "DISABLE_AUTOUPDATER": "1",
    }


def _codex(folder: Path, job: Job, home: Path) -> tuple[list[str], dict[str, str]]:
    provider = f'{{name="lab", base_url="{job.url}/v1", env_key="LAB_KEY", wire_api="responses"}}'
    command = [str(folder / "node_modules" / ".bin" / "codex"), "exec", "--skip-git-repo-check"]
    settings = ["model_provider=lab", f"model_providers.lab={provider}", "analytics.enabled=false"]
    options = [part for setting in settings for part in ("-c", setting)]
    return [*command, *options, "-m", job.model, "say one word"], {
        "LAB_KEY": KEY,
        "CODEX_HOME": str(home),
    }


CLIENTS = (
    *(Client(f"openai-python {v}", OPENAI, ("player.py", "openai")) for v in ("2.45", "2.54", "3")),
    *(
        Client(f"anthropic-python {v}", ANTHROPIC, ("player.py", "anthropic"))
        for v in ("1.5", "1.17", "2")
    ),
    *(Client(f"openai-node {v}", OPENAI, ("player.mjs", "openai")) for v in "4567"),
    Client("@anthropic-ai/sdk", ANTHROPIC, ("player.mjs", "anthropic")),
    Client("Vercel ai", OPENAI, ("player.mjs", "vercel")),
    Client("LangChain", OPENAI, ("player.py", "langchain")),
    Client("urllib3 Retry", OPENAI, ("player.py", "urllib3")),
    Client("httpx-retries", OPENAI, ("player.py", "httpx-retries")),
    Client("LiteLLM Router", OPENAI, ("player.py", "router")),
    Client("Claude Code", ANTHROPIC, agent=_claude_code),
    Client("Codex", OPENAI, agent=_codex),
)


@contextmanager
def playing(client: Client, root: Path, report: Report) -> Iterator[Callable[[Job], None]]:
    """Yield a function that starts a job of `client`; at the end all its processes are killed."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        running: list[subprocess.Popen[str]] = []
        stack.callback(lambda: [_end(process) for process in running])

        def spawn(command: Sequence[str], more: Mapping[str, str]) -> subprocess.Popen[str]:
            process = subprocess.Popen(
                command,
                env={**_environment(home), **more},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL if client.player else subprocess.STDOUT,
                text=True,
                cwd=home,
                start_new_session=True,
            )
            running.append(process)
            return process

        if client.agent is not None:
            agent = client.agent
            folder = folder_of(root, client.name)

            def start(job: Job) -> None:
                own = home / job.cell
                own.mkdir()
                process = spawn(*agent(folder, job, own))
                threading.Thread(target=_watch, args=(process, job, report), daemon=True).start()

            yield start
            return
        process = spawn(_player(client, root), {})
        assert process.stdin is not None and process.stdout is not None
        # Its libraries may say something before it is ready.
        if not any('"ready"' in line for line in process.stdout):
            raise RuntimeError(f"{client.name} does not start")
        threading.Thread(target=_read, args=(process.stdout, report), daemon=True).start()
        yield lambda job: print(json.dumps(asdict(job)), file=process.stdin, flush=True)


def _player(client: Client, root: Path) -> list[str]:
    assert client.player is not None
    program, kind = client.player
    script = str(PLAYERS / program)
    if program.endswith(".py"):
        return [str(python_of(root, client.name)), script, kind]
    return [str(node_of(root)), script, kind, str(folder_of(root, client.name))]


def _environment(home: Path) -> dict[str, str]:
    nowhere = "http://127.0.0.1:9"
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "HTTPS_PROXY": nowhere,
        "HTTP_PROXY": nowhere,
        "NO_PROXY": "127.0.0.1,localhost",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    }


def _read(lines: Iterable[str], report: Report) -> None:
    for line in lines:
        if line.startswith("{"):
            report(json.loads(line))


def _watch(process: subprocess.Popen[str], job: Job, report: Report) -> None:
    said = process.communicate("")[0]
    served = process.returncode == 0 and "served" in said
    report({"cell": job.cell, "served": served, "note": " ".join(said.split())[-80:]})


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        try:
            os.killpg(process.pid, 9)
        except ProcessLookupError:
            pass
    process.wait()
