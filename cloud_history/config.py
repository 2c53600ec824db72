"""The base URL of Comfy Cloud and the path of the state folder. Both are configured by environment variables only."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from . import environment
from .errors import StateFolderRefused, UnsafeBaseUrl

DEFAULT_BASE_URL = "https://cloud.comfy.org"

_NOT_REPLACED = re.compile(r"\$\{?[A-Za-z_]|%[A-Za-z_]\w*%")
"""A reference to a variable that no shell has expanded."""


@dataclass(frozen=True)
class BaseUrl:
    """A checked base URL without a trailing slash."""

    url: str
    host: str
    """The host to show, with the port if the URL has one."""

    @property
    def loopback(self) -> bool:
        return is_loopback(urlsplit(self.url).hostname or "")


def is_loopback(hostname: str) -> bool:
    """Return whether the host name is `localhost` or a loopback address."""
    if hostname.lower() == "localhost":
        return True
    try:
        return ip_address(hostname).is_loopback
    except ValueError:
        return False


def read_base_url(environ: Mapping[str, str] = environment.PROCESS) -> BaseUrl:
    """Return the base URL from the environment, or the default.

    Plain http is allowed for loopback addresses only, so that the API key is never sent unencrypted over a network.

    Raises:
        UnsafeBaseUrl: the URL is neither https nor http on a loopback address, or contains a user name, a query or a
            fragment.
    """
    given = environment.variable(environment.BASE_URL, environ) or DEFAULT_BASE_URL
    try:
        parts = urlsplit(given)
        port = parts.port
    except ValueError:
        raise UnsafeBaseUrl("base_url_unreadable") from None
    hostname = parts.hostname or ""
    safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(hostname))
    extras = any(mark in given for mark in "@?#\\")
    if not safe or not hostname or extras or any(not "!" <= each <= "~" for each in given):
        raise UnsafeBaseUrl()
    host = f"[{hostname}]" if ":" in hostname else hostname
    return BaseUrl(given.rstrip("/"), f"{host}:{port}" if port else host)


def state_folder(environ: Mapping[str, str] = environment.PROCESS, inside_comfyui: Path | None = None) -> Path:
    """Return the absolute path of the state folder, with links resolved.

    Call it once, at the start: if a link changes later, a second call would return another folder, without the list of
    protected jobs.

    Args:
        inside_comfyui: the folder to use by default in ComfyUI: its system user folder. ComfyUI does not serve folders
            whose name begins with two underscores (`folder_paths.get_system_user_directory`).

    Raises:
        StateFolderRefused: the environment variable is not an absolute path, or the folder is a broken link.
    """
    named = environment.variable(environment.STATE_FOLDER, environ)
    found = _named_folder(named) if named else inside_comfyui or _user_data_folder(environ) / "comfy-cloud-history"
    # The link may point to a disk that is not mounted now, so a new folder must not be created in its place.
    if os.path.islink(found) and not os.path.exists(found):
        raise StateFolderRefused("state_folder_link_broken", folder=found, target=os.readlink(found))
    return Path(os.path.realpath(found))


def _named_folder(named: str) -> Path:
    sentence = "home_not_absolute"
    try:
        folder = Path(named).expanduser()
    except RuntimeError:
        folder, sentence = Path(), "home_of_unknown_user"
    if not named.isprintable():
        folder, sentence = Path(), "home_not_printable"
    if _NOT_REPLACED.search(named):
        folder, sentence = Path(), "home_with_variable"
    if not folder.is_absolute():
        raise StateFolderRefused(sentence, variable=environment.STATE_FOLDER, given=named[:200])
    return folder


def _user_data_folder(environ: Mapping[str, str]) -> Path:
    if sys.platform == "win32":
        return _absolute("LOCALAPPDATA", environ) or _home() / "AppData" / "Local"
    if sys.platform == "darwin":
        return _home() / "Library" / "Application Support"
    return _absolute("XDG_DATA_HOME", environ) or _home() / ".local" / "share"


def _absolute(name: str, environ: Mapping[str, str]) -> Path | None:
    # The XDG Base Directory Specification says that relative paths must be ignored.
    folder = Path(environment.variable(name, environ))
    return folder if folder.is_absolute() else None


def _home() -> Path:
    try:
        home = Path.home()
    except RuntimeError:
        home = Path()
    if not home.is_absolute():
        raise StateFolderRefused("home_unknown")
    return home
