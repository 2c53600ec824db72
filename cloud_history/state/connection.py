"""Where an operation goes, and with whose key."""

from __future__ import annotations

from dataclasses import dataclass

from ..config import BaseUrl
from .credentials import ApiKey


@dataclass(frozen=True)
class Connection:
    """A server and a key, read together, so that neither changes under an operation."""

    base_url: BaseUrl
    key: ApiKey

    @property
    def account(self) -> str:
        """A name for this server and key that tells nothing of the key. ComfyUI's next start gives another one."""
        return self.key.secret.digest(self.base_url.url)
