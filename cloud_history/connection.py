"""Where an operation goes, and with whose key."""

from __future__ import annotations

from dataclasses import dataclass

from .config import BaseUrl
from .credentials import ApiKey


@dataclass(frozen=True)
class Connection:
    """A server and a key, read together, so that neither changes under an operation."""

    base_url: BaseUrl
    key: ApiKey
