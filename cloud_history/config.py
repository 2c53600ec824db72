"""Where Comfy Cloud is, and where this pack keeps its state: both from the environment, never from a request."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from .errors import UnsafeBaseUrl

DEFAULT_BASE_URL = "https://cloud.comfy.org"
BASE_URL_VARIABLE = "COMFY_CLOUD_BASE_URL"
HOME_VARIABLE = "COMFY_CLOUD_HISTORY_HOME"


@dataclass(frozen=True)
class BaseUrl:
    """A checked base URL without a trailing slash."""

    url: str
    host: str
    """What a person is shown: the host, with its port if it has one."""

    @property
    def loopback(self) -> bool:
        return is_loopback(urlsplit(self.url).hostname or "")


def is_loopback(hostname: str) -> bool:
    """Whether the name can only mean this machine: `localhost` or a loopback address."""
    if hostname.lower() == "localhost":
        return True
    try:
        return ip_address(hostname).is_loopback
    except ValueError:
        return False


def read_base_url(environ: Mapping[str, str] = os.environ) -> BaseUrl:
    """The base URL in force.

    https only; plain http for loopback alone, so that the key never crosses a network in the clear.

    Raises:
        UnsafeBaseUrl: for anything else, or an address with a user name, a query or a fragment in it.
    """
    given = environ.get(BASE_URL_VARIABLE, "").strip() or DEFAULT_BASE_URL
    try:
        parts = urlsplit(given)
        port = parts.port
    except ValueError:
        raise UnsafeBaseUrl("The server address can’t be read.") from None
    hostname = parts.hostname or ""
    safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(hostname))
    extras = any(mark in given for mark in "@?#\\")
    if not safe or not hostname or extras or any(not "!" <= each <= "~" for each in given):
        raise UnsafeBaseUrl("The server address is not safe.")
    host = f"[{hostname}]" if ":" in hostname else hostname
    return BaseUrl(given.rstrip("/"), f"{host}:{port}" if port else host)


def state_folder(environ: Mapping[str, str] = os.environ, inside_comfyui: Path | None = None) -> Path:
    """Where the key and the records are kept.

    Args:
        inside_comfyui: ComfyUI's system user folder, where there is a ComfyUI. Core keeps folders whose name
            begins with two underscores out of reach of HTTP (`folder_paths.get_system_user_directory`).
    """
    named = environ.get(HOME_VARIABLE, "").strip()
    if named:
        return Path(named).expanduser()
    return inside_comfyui or _user_data_folder(environ) / "comfy-cloud-history"


def _user_data_folder(environ: Mapping[str, str]) -> Path:
    if sys.platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return Path(environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
