"""The API key: from the environment, else from the file that the Connect dialog saves, else from the prompt.

If several people use a ComfyUI that cannot tell them apart, the first two keys would be shared by all of them. Then
only the prompt's key is used, unless an environment variable says that the key is shared on purpose.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .. import environment
from ..config import BaseUrl
from ..errors import (
    InvalidApiKey,
    KeyFileDamaged,
    MissingApiKey,
    SetupProblem,
    SharedKeyRefused,
    StateUnwritable,
)
from ..secret import Secret
from .files import read_json, write_private
from .folder import state_folder_at

USUAL_PREFIX = "comfyui-"
MAX_KEY_CHARACTERS = 1000
MAX_FILE_BYTES = 64_000

Source = Literal["env", "saved", "prompt"]

_QUOTES = "\"'`“”‘’«»"


@dataclass(frozen=True)
class ApiKey:
    """A key and its source."""

    secret: Secret
    source: Source


def clean_key(text: str) -> Secret:
    """Return the key in a pasted text, without white space, quotes and control characters around it.

    Raises:
        InvalidApiKey: it is empty, or cannot be sent in an HTTP header: aiohttp raises a bare ValueError for control
            characters, and sends other non-ASCII text unchanged.
    """
    start, end = 0, len(text)
    while start < end and _is_wrapping(text[start]):
        start += 1
    while end > start and _is_wrapping(text[end - 1]):
        end -= 1
    key = text[start:end]
    if not key:
        raise InvalidApiKey("key_empty")
    if len(key) > MAX_KEY_CHARACTERS or any(not "!" <= each <= "~" for each in key):
        raise InvalidApiKey()
    return Secret(key)


def has_usual_prefix(secret: Secret) -> bool:
    """Return whether the key starts like Comfy Cloud's keys do. Others cause a warning, not an error."""
    return secret.reveal().startswith(USUAL_PREFIX)


def _is_wrapping(character: str) -> bool:
    return character.isspace() or character in _QUOTES or not character.isprintable()


class KeyStore:
    """Finds and saves the API key. Blocking (small files): call it off the event loop.

    Args:
        many_users: whether several people use this ComfyUI and it cannot tell them apart.
    """

    def __init__(
        self, folder: Path, environ: Mapping[str, str] = environment.PROCESS, *, many_users: bool = False
    ) -> None:
        self._state = state_folder_at(folder)
        self._path = folder / "api_key.json"
        self._environ = environ
        self._many_users = many_users

    def find(self, prompt_key: Secret | None = None) -> ApiKey | None:
        """Return the key in force, or None.

        Args:
            prompt_key: the key that came with the prompt, if any.

        Raises:
            SharedKeyRefused: several people would share the key, and the prompt has none.
            InvalidApiKey: the key in the environment cannot be sent.
            KeyFileDamaged: the key file cannot be read. StateFolderLost: there may have been one.
        """
        of_prompt = ApiKey(prompt_key, "prompt") if prompt_key else None
        if self.refuses_shared_key:
            if of_prompt is None:
                raise SharedKeyRefused
            return of_prompt
        return self._own() or of_prompt

    def check_key_is_not_shared(self) -> None:
        """Raises SharedKeyRefused if a saved key would be shared by several people."""
        if self.refuses_shared_key:
            raise SharedKeyRefused

    def remember(self) -> None:
        """Make `scrub` know the key in force, before a text is shown that may contain it."""
        with suppress(SetupProblem):
            self._own()

    def get(self, prompt_key: Secret | None = None) -> ApiKey:
        """Return the key in force. Raises what `find` raises, and MissingApiKey if there is none."""
        key = self.find(prompt_key)
        if key is None:
            raise MissingApiKey()
        return key

    @property
    def refuses_shared_key(self) -> bool:
        """Whether a saved key would be shared by several people, and the environment does not allow that."""
        return self._many_users and environment.variable(environment.SHARED_KEY, self._environ) != "1"

    @property
    def is_fixed(self) -> bool:
        """Whether a saved key would not be used: the environment has one, or it would be shared."""
        return self.refuses_shared_key or bool(environment.variable(environment.API_KEY, self._environ))

    def _own(self) -> ApiKey | None:
        named = environment.variable(environment.API_KEY, self._environ)
        if named:
            try:
                return ApiKey(clean_key(named), "env")
            except InvalidApiKey as problem:
                raise InvalidApiKey("environment_key_unusable", problem=problem.message) from None
        return self._saved()

    def save(self, secret: Secret) -> None:
        """Save the key in a file that only this user can read.

        Raises:
            SharedKeyRefused: several people would share it.
            StateUnwritable: it cannot be written; an older key stays.
        """
        self.check_key_is_not_shared()
        try:
            self._state.ensure()
            write_private(self._path, json.dumps({"api_key": secret.reveal()}))
        except OSError as exc:
            raise StateUnwritable("key_not_saved", cause=exc.strerror or "the disk failed") from exc

    def remove(self) -> None:
        """Remove the saved key. The environment's key stays.

        Raises:
            StateUnwritable, StateFolderLost: the file cannot be removed.
        """
        self._state.check()
        try:
            for path in (self._path, *self._path.parent.glob(f".{self._path.name}.*")):
                path.unlink(missing_ok=True)
        except OSError as exc:
            raise StateUnwritable("key_not_removed", cause=exc.strerror or "the disk failed") from exc

    def _saved(self) -> ApiKey | None:
        try:
            return ApiKey(clean_key(read_json(self._path, MAX_FILE_BYTES)["api_key"]), "saved")
        except (FileNotFoundError, NotADirectoryError):
            self._state.check()
            return None
        except OSError as exc:
            cause = str(exc.strerror)
        except (ValueError, KeyError, TypeError, AttributeError, InvalidApiKey):
            cause = ""
        raise KeyFileDamaged("key_file_unreadable", cause=cause) if cause else KeyFileDamaged()


@dataclass(frozen=True)
class Connection:
    """A server and a key, read together so that neither changes during an operation."""

    base_url: BaseUrl
    key: ApiKey

    @property
    def account(self) -> str:
        """An id for this server and key that reveals nothing of the key. It changes when ComfyUI restarts."""
        return self.key.secret.digest(self.base_url.url)
