"""Start a host for the pack as a child process: the embedded host, or a real ComfyUI.

Each host gets a folder of its own with the pack linked into `custom_nodes`, and listens on 127.0.0.1 only.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedded_host.user_files import write_settings

CHECKOUT = Path(__file__).resolve().parent.parent
PACK_NAME = "comfy-cloud-history"
EXAMPLE = "clean_up_failed_jobs"
OURS_IN_ENVIRONMENT = (
    *("COMFY_CLOUD_BASE_URL", "COMFY_CLOUD_API_KEY", "COMFY_CLOUD_HISTORY_HOME"),
    *("COMFY_CLOUD_HISTORY_NODES", "COMFY_CLOUD_HISTORY_SHARED"),
)
READY = re.compile(r"(?:Serving on|To see the GUI go to:) http://(?:127\.0\.0\.1|localhost)(:\d+)")
NOT_PART_OF_THE_PACK = shutil.ignore_patterns(".*", "node_modules", "tests", "playground", "*.egg-info")

QUIET_SETTINGS = {
    "Comfy.TutorialCompleted": True,
    "Comfy.Workflow.ShowMissingNodesWarning": False,
    "Comfy.Workflow.ShowMissingModelsWarning": False,
    # Frontend 1.27 derives the last two from the first before it has registered them, and fails on any other value.
    "Comfy.Canvas.NavigationMode": "legacy",
    "Comfy.Canvas.LeftMouseClickBehavior": "panning",
    "Comfy.Canvas.MouseWheelScroll": "zoom",
    "Comfy.Minimap.Visible": False,
    "Comfy.Graph.CanvasInfo": False,
    "Comfy.Window.UnloadConfirmation": False,
    "Comfy.Notification.ShowVersionUpdates": False,
    "Comfy.VersionCompatibility.DisableWarnings": True,
}


class HostDidNotStart(RuntimeError):
    """The host ended, or did not answer in time. The message ends with the last lines of its log."""


@dataclass
class HostProcess:
    """A running host."""

    base_url: str
    log_path: Path
    base_dir: Path
    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        """The process id of the host."""
        return self.process.pid

    @property
    def example_url(self) -> str:
        """The address that opens an example workflow of the pack, by ComfyUI's own parameters for templates."""
        return f"{self.base_url}/?template={EXAMPLE}&source={PACK_NAME}"

    @property
    def state_dir(self) -> Path:
        """The folder in which the pack keeps its state."""
        return self.base_dir / "user" / "__cloud_history"

    def log(self) -> str:
        """Return everything that the host has logged so far."""
        return self.log_path.read_text("utf-8", errors="replace")

    def stop(self, patience: float = 5.0) -> None:
        """Stop the host as Ctrl+C does, and kill it if it still runs after `patience` seconds."""
        if self.process.poll() is None:
            if os.name == "posix":
                self.process.send_signal(signal.SIGINT)
            else:
                self.process.terminate()
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Kill the host, as a crash would."""
        self.process.kill()
        self.process.wait()


def prepare_base(base_dir: Path, settings: Mapping[str, Any] | None = None, pack: Path = CHECKOUT) -> None:
    """Make the folders of a host, link the packs into `custom_nodes` and write the frontend's settings."""
    for name in ("custom_nodes", "models", "input", "output", "temp", "user"):
        (base_dir / name).mkdir(parents=True, exist_ok=True)
    link_pack(pack, base_dir / "custom_nodes" / PACK_NAME)
    link_pack(Path(__file__).parent / "helper_nodes", base_dir / "custom_nodes" / "playground-helper-nodes")
    write_settings(base_dir, {**QUIET_SETTINGS, **(settings or {})})


def link_pack(source: Path, link: Path) -> None:
    """Link a pack into `custom_nodes`, or copy it where links are not allowed (Windows)."""
    if link.is_symlink() or link.exists():
        return
    try:
        link.symlink_to(source, target_is_directory=True)
    except OSError:
        shutil.copytree(source, link, ignore=NOT_PART_OF_THE_PACK)


def start_embedded(
    base_dir: Path,
    *,
    cloud_url: str,
    api_key: str | None = None,
    frontend: Path | None = None,
    settings: Mapping[str, Any] | None = None,
    port: int = 0,
    env: Mapping[str, str] | None = None,
    pack: Path = CHECKOUT,
    multi_user: bool = False,
) -> HostProcess:
    """Start the embedded host and wait until it answers. Without a `frontend` it serves no page."""
    prepare_base(base_dir, settings, pack)
    command = [sys.executable, "-m", "embedded_host", "--base", str(base_dir), "--port", str(port)]
    command += ["--frontend", str(frontend)] if frontend is not None else []
    command += ["--multi-user"] if multi_user else []
    environment = _environment(cloud_url, api_key, {"PYTHONPATH": str(Path(__file__).parent), **(env or {})})
    return _start(command, base_dir, base_dir, environment, patience=30)


def start_real(
    comfyui_dir: Path,
    base_dir: Path,
    *,
    cloud_url: str,
    api_key: str | None = None,
    frontend: Path | None = None,
    settings: Mapping[str, Any] | None = None,
    port: int = 0,
    env: Mapping[str, str] | None = None,
    pack: Path = CHECKOUT,
    multi_user: bool = False,
    python: str | None = None,
) -> HostProcess:
    """Start the ComfyUI of `comfyui_dir` on the CPU and wait until it answers.

    Args:
        frontend: None uses the frontend that is installed beside ComfyUI.
        python: its interpreter. None uses the environment variable COMFYUI_PYTHON, else the running interpreter.
    """
    prepare_base(base_dir, settings, pack)
    port = port or free_port()
    database = f"sqlite:///{(base_dir / 'user' / 'comfyui.db').as_posix()}"
    command = [python or os.environ.get("COMFYUI_PYTHON") or sys.executable]
    if (comfyui_dir / "comfy" / "cmd" / "cli.py").is_file():
        # The packaged edition of ComfyUI needs its folders as options, and its main.py reads no options.
        command += ["-c", "from comfy.cmd.cli import entrypoint; entrypoint()", "serve"]
        command += [
            "--cwd",
            str(base_dir),
            "--user-directory",
            str(base_dir / "user"),
            "--disable-known-models",
        ]
    else:
        command += ["main.py"]
    command += ["--cpu", "--listen", "127.0.0.1", "--port", str(port), "--base-directory", str(base_dir)]
    command += ["--disable-auto-launch", "--disable-api-nodes", "--database-url", database]
    command += ["--front-end-root", str(frontend)] if frontend is not None else []
    command += ["--multi-user"] if multi_user else []
    offline = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "DO_NOT_TRACK": "1"}
    environment = _environment(cloud_url, api_key, {**offline, **(env or {})})
    return _start(command, comfyui_dir, base_dir, environment, patience=180)


def start_host(base_dir: Path, *, comfyui_dir: Path | None = None, **options: Any) -> HostProcess:
    """Start the ComfyUI of `comfyui_dir` or of the environment variable COMFYUI_DIR, else the embedded host."""
    chosen = comfyui_dir or os.environ.get("COMFYUI_DIR")
    if chosen:
        return start_real(Path(chosen).resolve(), base_dir.resolve(), **options)
    return start_embedded(base_dir.resolve(), **options)


def frontend_dir(version: str | None = None) -> Path:
    """Return the static files of a frontend version, or of the newest one in `.frontends`.

    Raises:
        FileNotFoundError: it is missing; `dev.py setup` downloads it.
    """
    found = CHECKOUT.glob(f".frontends/{version or '*'}/static/index.html")
    folders = [index.parent for index in found]
    if not folders:
        raise FileNotFoundError(f"Frontend {version or ''} is missing in .frontends. Run: python3 dev.py setup")
    return max(folders, key=lambda folder: [int(part) for part in re.findall(r"\d+", folder.parent.name)])


def free_port() -> int:
    """Return a port of 127.0.0.1 that is free.

    It is below the range of outgoing connections, so that none of them takes it before a server does.
    """
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no free port")


def _environment(cloud_url: str, api_key: str | None, more: Mapping[str, str]) -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if name not in OURS_IN_ENVIRONMENT}
    environment |= {"PYTHONUNBUFFERED": "1", "COMFY_CLOUD_BASE_URL": cloud_url, **more}
    if api_key is not None:
        environment["COMFY_CLOUD_API_KEY"] = api_key
    return environment


def _start(
    command: Sequence[str], cwd: Path, base_dir: Path, environment: dict[str, str], patience: float
) -> HostProcess:
    log_path = base_dir / "host.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            command, cwd=cwd, env=environment, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
        )
    host = HostProcess("", log_path, base_dir, process)
    try:
        _wait_until_ready(host, patience)
    except BaseException:
        host.kill()
        raise
    return host


def _wait_until_ready(host: HostProcess, patience: float) -> None:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        # The address is read from the host's log, because another program may answer on the port that was asked for.
        ready = READY.search(host.log())
        if ready and _answers(f"http://127.0.0.1{ready[1]}"):
            host.base_url = f"http://127.0.0.1{ready[1]}"
            return
        try:
            # Waiting for the process instead of sleeping notices a host that dies at once.
            host.process.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
        break
    raise HostDidNotStart(f"The host did not start. The end of its log:\n{host.log()[-4000:]}")


def _answers(base_url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{base_url}/api/users", timeout=2):
            return True
    except (OSError, urllib.error.HTTPError):
        return False
