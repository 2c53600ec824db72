"""The API key: from the environment, else from the file that the Connect dialog saves, else from the prompt.

If several people use a ComfyUI that cannot tell them apart, all of them would use the first two keys. Then only the
prompt's key is used, unless an environment variable allows a shared key.
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
from ..errors import InvalidApiKey, KeyFileDamaged, MissingApiKey, SetupProblem, SharedKeyRefused, StateUnwritable
from ..reasons import Reason
from ..secret import Secret
from ..sentence import Worded
from .files import read_json, write_private
from .folder import state_folder_at

USUAL_PREFIX = "comfyui-"
MAX_KEY_CHARACTERS = 1000
MAX_FILE_BYTES = 64_000

Source = Literal["env", "saved", "prompt"]

_QUOTES = "\"'`“”‘’«»"


@dataclass(frozen=True)
class ApiKey:
    """An API key and its source."""

    secret: Secret
    source: Source


def clean_key(text: str) -> Secret:
    """Return the key in a pasted text, without white space, quotes and control characters around it.

    Raises:
        InvalidApiKey: the key is empty, too long, or has characters that an HTTP header cannot hold. aiohttp raises a
            bare ValueError for control characters, and sends other non-ASCII text unchanged.
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
    """Return whether the key has the usual prefix of Comfy Cloud's keys. Other keys cause a warning, not an error."""
    return secret.reveal().startswith(USUAL_PREFIX)


def _is_wrapping(character: str) -> bool:
    return character.isspace() or character in _QUOTES or not character.isprintable()


class KeyStore:
    """Finds and saves the API key. Its methods access files: call them in a thread.

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
        """Return the key to use, or None.

        Args:
            prompt_key: the key that came with the prompt, if any.

        Raises:
            SharedKeyRefused: several people would share the key, and the prompt has no key.
            InvalidApiKey: the key in the environment cannot be sent.
            KeyFileDamaged: the key file cannot be read.
            StateFolderLost: the state folder is missing, so a saved key may be missing too.
        """
        of_prompt = ApiKey(prompt_key, "prompt") if prompt_key else None
        if self.refuses_shared_key:
            if of_prompt is None:
                raise SharedKeyRefused
            return of_prompt
        return self._own() or of_prompt

    def check_key_is_not_shared(self) -> None:
        """Raise SharedKeyRefused if several people would share a saved key."""
        if self.refuses_shared_key:
            raise SharedKeyRefused

    def remember(self) -> None:
        """Load the saved key or the environment's key, so that `scrub` removes it from texts."""
        with suppress(SetupProblem):
            self._own()

    def get(self, prompt_key: Secret | None = None) -> ApiKey:
        """Return the key to use. Raise MissingApiKey if there is none, and the errors of `find`."""
        key = self.find(prompt_key)
        if key is None:
            raise MissingApiKey()
        return key

    @property
    def refuses_shared_key(self) -> bool:
        """Whether several people would share a saved key, and the environment does not allow that."""
        return self._many_users and environment.variable(environment.SHARED_KEY, self._environ) != "1"

    @property
    def is_fixed(self) -> bool:
        """Whether a saved key would not be used, because the environment has a key or several people would share it."""
        return self.refuses_shared_key or bool(environment.variable(environment.API_KEY, self._environ))

    def _own(self) -> ApiKey | None:
        named = environment.variable(environment.API_KEY, self._environ)
        if named:
            try:
                return ApiKey(clean_key(named), "env")
            except InvalidApiKey as problem:
                said = Worded(problem.sentence, problem.message)
                raise InvalidApiKey("environment_key_unusable", problem=said) from None
        return self._saved()

    def save(self, secret: Secret) -> None:
        """Save the key in a file that only this user can read.

        Raises:
            SharedKeyRefused: several people would share the key.
            StateUnwritable: the file cannot be written. An older key stays saved.
        """
        self.check_key_is_not_shared()
        try:
            self._state.ensure()
            write_private(self._path, json.dumps({"api_key": secret.reveal()}))
        except OSError as exc:
            raise StateUnwritable("key_not_saved", cause=exc.strerror or Reason("disk_failed")) from exc

    def remove(self) -> None:
        """Remove the saved key. The environment's key stays.

        Raises:
            StateUnwritable: the file cannot be removed.
            StateFolderLost: the state folder is missing.
        """
        self._state.check()
        try:
            for path in (self._path, *self._path.parent.glob(f".{self._path.name}.*")):
                path.unlink(missing_ok=True)
        except OSError as exc:
            raise StateUnwritable("key_not_removed", cause=exc.strerror or Reason("disk_failed")) from exc

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
        """An id for this server and key that does not reveal the key. It changes when ComfyUI restarts."""
        return self.key.secret.digest(self.base_url.url)
