"""The environment variables of this pack. All of them are read here, so that all are trimmed alike."""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.request import getproxies_environment

API_KEY = "COMFY_CLOUD_API_KEY"
BASE_URL = "COMFY_CLOUD_BASE_URL"
STATE_FOLDER = "COMFY_CLOUD_HISTORY_HOME"
ALLOWED_HOSTS = "COMFY_CLOUD_HISTORY_HOSTS"
NODES_MAY_DELETE = "COMFY_CLOUD_HISTORY_NODES"
SHARED_KEY = "COMFY_CLOUD_HISTORY_SHARED"

PROCESS: Mapping[str, str] = os.environ
"""The variables of this process, as they are now."""

_QUOTES = "\"'"


def variable(name: str, environ: Mapping[str, str] = PROCESS) -> str:
    """The value of a variable, trimmed; "" where it is not set."""
    return trimmed(environ.get(name, ""))


def proxies() -> dict[str, str]:
    """The values of `HTTPS_PROXY` and the like, trimmed, by the scheme that each is for: `https`, `all`, `no`."""
    return {scheme: trimmed(value) for scheme, value in getproxies_environment().items()}


def trimmed(value: str) -> str:
    """Return the value without surrounding white space and quotes, which `docker --env-file` does not remove."""
    value = value.strip()
    while len(value) > 1 and value[0] == value[-1] and value[0] in _QUOTES:
        value = value[1:-1].strip()
    return value
