"""The environment variables of this pack. All are read here, so that all are trimmed in the same way."""

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
OUTPUT_FOLDERS = "COMFY_CLOUD_HISTORY_OUTPUTS"

PROCESS: Mapping[str, str] = os.environ
"""The current variables of this process."""

_QUOTES = "\"'"


def variable(name: str, environ: Mapping[str, str] = PROCESS) -> str:
    """Return the value of a variable, trimmed, or "" if it is not set."""
    return trimmed(environ.get(name, ""))


def proxies() -> dict[str, str]:
    """Return the values of the proxy variables, trimmed. The key for `HTTPS_PROXY` is `https`, and so on."""
    return {scheme: trimmed(value) for scheme, value in getproxies_environment().items()}


def trimmed(value: str) -> str:
    """Return the value without surrounding white space and quotes. `docker --env-file` leaves quotes in values."""
    value = value.strip()
    while len(value) > 1 and value[0] == value[-1] and value[0] in _QUOTES:
        value = value[1:-1].strip()
    return value
