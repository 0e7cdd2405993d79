"""Install the clients of the table, each version in a folder of its own, from the registries.

    python tests/clients/install_clients.py FOLDER [NAME ...]

Needs uv and npm. What is installed already stays.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

NODE = "node@22"
"""The npm package that brings the Node.js which the newest SDKs ask for."""

PYTHON_PACKAGES = {
    "openai-python 2.45": ["openai==2.45.0"],
    "openai-python 2.54": ["openai==2.54.0"],
    "openai-python 3": ["openai==3.57.0"],
    "anthropic-python 1.5": ["anthropic==1.5.0"],
    "anthropic-python 1.17": ["anthropic==1.17.0"],
    "anthropic-python 2": ["anthropic==2.14.0"],
    "LangChain": ["langchain-openai==1.7.4"],
    "urllib3 Retry": ["urllib3==2.8.0"],
    "httpx-retries": ["httpx-retries==0.6.0"],
    "LiteLLM Router": ["litellm==1.89.7"],
}
NODE_PACKAGES = {
    "openai-node 4": ["openai@4.104.0"],
    "openai-node 5": ["openai@5.23.2"],
    "openai-node 6": ["openai@6.49.0"],
    "openai-node 7": ["openai@7.57.0"],
    "@anthropic-ai/sdk": ["@anthropic-ai/sdk@1.14.0"],
    "Vercel ai": ["ai@7.0.173", "@ai-sdk/openai-compatible@3.0.92"],
    "Claude Code": ["@anthropic-ai/claude-code@2.1.332"],
    "Codex": ["@openai/codex@0.169.0"],
}


def folder_of(root: Path, client: str) -> Path:
    """Where `client` is installed below `root`."""
    return root / client.replace("@", "").replace("/", "-").replace(" ", "-")


def python_of(root: Path, client: str) -> Path:
    return folder_of(root, client) / "bin" / "python"


def node_of(root: Path) -> Path:
    return root / "node" / "node_modules" / "node" / "bin" / "node"


def main(arguments: list[str]) -> None:
    root = Path(arguments[0])
    root.mkdir(parents=True, exist_ok=True)
    if not node_of(root).exists():
        _npm(root / "node", [NODE])
    for client in arguments[1:] or [*PYTHON_PACKAGES, *NODE_PACKAGES]:
        folder = folder_of(root, client)
        done = folder / "installed"
        if done.exists():
            continue
        print(client, flush=True)
        if client in PYTHON_PACKAGES:
            _run("uv", "venv", "--quiet", "--clear", "--python", "3.11", str(folder))
            python = str(python_of(root, client))
            _run("uv", "pip", "install", "--quiet", "--python", python, *PYTHON_PACKAGES[client])
        else:
            _npm(folder, NODE_PACKAGES[client])
        done.touch()


def _npm(folder: Path, arguments: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text('{"private": true}')
    _run("npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), *arguments)


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
