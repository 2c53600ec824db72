"""Where the API key comes from: the environment first, then the file the Connect dialog saved, then the prompt.

Where several people use one host that cannot tell them apart, the first two would be everybody's: then only a key that
came with the prompt is used, unless the environment says that all of them share one.
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
from ..errors import InvalidApiKey, KeyFileDamaged, ManyUsers, MissingApiKey, SetupProblem, StateUnwritable
from ..secret import Secret
from .files import read_private, write_private
from .folder import state_folder_at

USUAL_PREFIX = "comfyui-"
MAX_KEY_CHARACTERS = 1000
MAX_FILE_BYTES = 64_000

Source = Literal["env", "saved", "prompt"]

_QUOTES = "\"'`“”‘’«»"


@dataclass(frozen=True)
class ApiKey:
    """A key and where it came from."""

    secret: Secret
    source: Source


def clean_key(text: str) -> Secret:
    """The key in what a person pasted: trimmed of white space, quotes and control characters at its ends.

    Raises:
        InvalidApiKey: nothing is left, or something in it cannot be sent in an HTTP header. aiohttp refuses
            control characters with a bare ValueError and sends other non-ASCII text as it is.
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
    """Whether it begins as Comfy Cloud's keys do. A key that does not is worth a word, not a refusal."""
    return secret.reveal().startswith(USUAL_PREFIX)


def _is_wrapping(character: str) -> bool:
    return character.isspace() or character in _QUOTES or not character.isprintable()


class KeyStore:
    """The key in force. Blocking (small files): call it off the event loop.

    Args:
        many_users: whether the host has several users and cannot tell them apart.
    """

    def __init__(
        self, folder: Path, environ: Mapping[str, str] = environment.PROCESS, *, many_users: bool = False
    ) -> None:
        self._state = state_folder_at(folder)
        self._path = folder / "api_key.json"
        self._environ = environ
        self._many_users = many_users

    def find(self, prompt_key: Secret | None = None) -> ApiKey | None:
        """The key in force, or None where there is none.

        Args:
            prompt_key: the key that came with the prompt, where one did.

        Raises:
            ManyUsers: there is only a key that would be everybody's, or none.
            InvalidApiKey: the key in the environment cannot be sent.
            KeyFileDamaged: there is a file, and no key can be read from it. StateFolderLost: there may have been one.
        """
        of_prompt = ApiKey(prompt_key, "prompt") if prompt_key else None
        if self.refuses_shared_key:
            if of_prompt is None:
                raise ManyUsers
            return of_prompt
        return self._own() or of_prompt

    def check_key_is_not_shared(self) -> None:
        """Raises ManyUsers where what is kept here would be everybody's."""
        if self.refuses_shared_key:
            raise ManyUsers

    def remember(self) -> None:
        """Have `scrub` know the key in force, before a text is shown that a person may have pasted it into."""
        with suppress(SetupProblem):
            self._own()

    def get(self, prompt_key: Secret | None = None) -> ApiKey:
        """The key in force.

        Raises:
            MissingApiKey: there is none.
        """
        key = self.find(prompt_key)
        if key is None:
            raise MissingApiKey()
        return key

    @property
    def refuses_shared_key(self) -> bool:
        """Whether what is kept here would be everybody's: several users, and nobody said that they share it."""
        return self._many_users and environment.variable(environment.SHARED_KEY, self._environ) != "1"

    @property
    def is_fixed(self) -> bool:
        """Whether a key saved here would not be used: the environment names one, or it would be everybody's."""
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
        """Keep the key in a file that only this user can read.

        Raises:
            ManyUsers: it would be everybody's.
            StateUnwritable: it cannot be written; an older key is still there.
        """
        self.check_key_is_not_shared()
        try:
            self._state.ensure()
            write_private(self._path, json.dumps({"api_key": secret.reveal()}))
        except OSError as exc:
            raise StateUnwritable("key_not_saved", cause=exc.strerror or "the disk refused") from exc

    def remove(self) -> None:
        """Forget the saved key. The environment's is not touched.

        Raises:
            StateUnwritable, StateFolderLost: the file cannot be removed, so the key is still there.
        """
        self._state.check()
        try:
            for path in (self._path, *self._path.parent.glob(f".{self._path.name}.*")):
                path.unlink(missing_ok=True)
        except OSError as exc:
            raise StateUnwritable("key_not_removed", cause=exc.strerror or "the disk refused") from exc

    def _saved(self) -> ApiKey | None:
        try:
            text, cause = read_private(self._path, MAX_FILE_BYTES), ""
        except (FileNotFoundError, NotADirectoryError):
            self._state.check()
            return None
        except OSError as exc:
            text, cause = b"", str(exc.strerror)
        with suppress(ValueError, TypeError, KeyError, AttributeError, InvalidApiKey, RecursionError):
            return ApiKey(clean_key(json.loads(text)["api_key"]), "saved")
        # Raised out here, without a cause: what json raises holds the whole file.
        raise KeyFileDamaged("key_file_unreadable", cause=cause) if cause else KeyFileDamaged()


@dataclass(frozen=True)
class Connection:
    """A server and a key, read together, so that neither changes under an operation."""

    base_url: BaseUrl
    key: ApiKey

    @property
    def account(self) -> str:
        """A name for this server and key that tells nothing of the key. ComfyUI's next start gives another one."""
        return self.key.secret.digest(self.base_url.url)
