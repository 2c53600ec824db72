"""Something on this machine has to be put right before anything can be sent."""

from __future__ import annotations

import errno
from datetime import datetime
from pathlib import PurePath

from .base import CloudError


class SetupProblem(CloudError):
    """Something on this machine has to be put right before anything can be sent."""

    meets_all = True


class MissingApiKey(SetupProblem):
    """Neither the environment nor the state folder has an API key."""

    code = "missing_key"
    default_hint = "Choose Extensions > Cloud history > Connect to Comfy Cloud…, or set COMFY_CLOUD_API_KEY."


class InvalidApiKey(SetupProblem):
    """The API key has characters that cannot be sent in an HTTP header."""

    code = "invalid_key"
    default_hint = "Copy it again from platform.comfy.org/profile/api-keys."


class KeyFileDamaged(SetupProblem):
    """The file with the saved API key cannot be read."""

    code = "key_file_damaged"
    default_hint = "Choose Extensions > Cloud history > Connect to Comfy Cloud… and enter the key again."


class UnsafeBaseUrl(SetupProblem):
    """`COMFY_CLOUD_BASE_URL` is not an https address (plain http is for this machine alone)."""

    code = "unsafe_base_url"
    default_hint = "COMFY_CLOUD_BASE_URL must begin with https. Change it, then restart ComfyUI."


class UnusableProxy(SetupProblem):
    """The proxy named in the environment cannot be used."""

    code = "unreachable"
    default_hint = "Correct HTTPS_PROXY or ALL_PROXY (an http address), or name the host in NO_PROXY."


class MissingDependency(SetupProblem):
    """The Python package jsonschema is not installed."""

    code = "missing_dependency"
    default_hint = "Run “pip install jsonschema” in ComfyUI’s Python, then restart ComfyUI."

    def __init__(self) -> None:
        super().__init__("A Python package is missing: jsonschema.")


class BrokenInstallation(SetupProblem):
    """jsonschema is there and cannot be used, or a file of this pack is missing. The hint says what to do."""

    code = "broken_installation"


class StateFolderRefused(SetupProblem):
    """Where the state is kept is not known for sure, so nothing is read from there and nothing is deleted."""

    code = "state_folder_refused"
    default_hint = (
        "Set COMFY_CLOUD_HISTORY_HOME to the whole path of a folder, such as /home/you/cloud_history or "
        "~/cloud_history, without quotes, or leave it out. Then restart ComfyUI."
    )


class FileRefused(OSError):
    """Something else is in the place of a file of the state folder, so it is neither read nor changed.

    Attributes:
        strerror: the file's name and what is wrong with it, without a full stop.
        cure: what a person can do about it.
    """

    def __init__(self, name: str, problem: str, cure: str) -> None:
        self.cure = cure
        super().__init__(errno.EPERM, f"{name} {problem}")


class StateUnwritable(SetupProblem):
    """The state folder cannot be written, so nothing may be sent: what is pending is on disk first."""

    code = "state_unwritable"
    default_hint = "Free some disk space, or make ComfyUI’s user folder writable."

    def __init__(self, message: str, *, hint: str | None = None, because: OSError | None = None) -> None:
        if isinstance(because, FileRefused):
            hint = f"{because.strerror}. {because.cure}"
        elif because is not None:
            # The file's name alone: a browser may be somebody else's, and the path has the user's name in it.
            where = f" ({PurePath(str(because.filename)).name})" if because.filename else ""
            hint = f"{because.strerror or 'The disk refused'}{where}. {hint or self.default_hint}"
        super().__init__(message, hint=hint)


class StateUnreadable(StateUnwritable):
    """The disk does not give a part of the state folder that is there, so what is in it is not known."""

    default_hint = "Look at the disk of the state folder, then try again."


class StateFolderLost(StateUnwritable):
    """The state folder, or a safeguard in it, was there and is not there any more: nothing may be deleted."""

    code = "state_lost"

    def __init__(self, folder: object, why: str) -> None:
        super().__init__(
            f"Deletions are stopped: the state folder {folder} {why}.",
            hint="It keeps the protected jobs, the settings, the backups and the saved key. Put it back as it was "
            "(mount its disk, or restore a copy), or choose “Start anew” in the panel: then what is missing counts as "
            "empty.",
        )


def _is_of_the_disk(because: Exception | None) -> bool:
    # What was planted or put in the file's place is refused by the opener, and stays what it is.
    return isinstance(because, OSError) and not isinstance(because, FileRefused)


class SettingsDamaged(SetupProblem):
    """The settings cannot be read, so nobody knows which safeguards are on. `name` is that of their file."""

    code = "settings_damaged"

    def __init__(self, name: str, because: Exception | None = None) -> None:
        why = f": {because.strerror}" if isinstance(because, OSError) else ""
        self.is_of_the_disk = _is_of_the_disk(because)
        """Whether the disk failed, and not the file's content."""
        super().__init__(
            f"Deletions are stopped: the settings can’t be read{why}.",
            hint=f"Look at the disk that {name} is on, then try again."
            if self.is_of_the_disk
            else f"Put a good copy of {name} in its place, or look through Settings > Cloud history and change one: "
            "then they are written anew.",
        )


class StateSilent(StateUnwritable):
    """The disk of the state folder does not answer, or another program keeps a lock on one of its files."""

    default_hint = "Its disk, or the network it is on, may hang. Look at it, then try again."


class LockSilent(FileRefused):
    """A lock on a file was not had in time: another program keeps it, or its file system does not answer."""

    def __init__(self, name: str, seconds: float) -> None:
        super().__init__(
            name,
            f"could not be locked within {seconds:.0f} seconds",
            "End another ComfyUI that hangs, or look at the disk of the state folder.",
        )


class ProtectionDamaged(SetupProblem):
    """The list of protected jobs cannot be read, so nothing is deleted. `name` is that of its file."""

    code = "protection_damaged"

    def __init__(self, name: str, because: Exception | None = None) -> None:
        self.name = name
        why = f": {because.strerror}" if isinstance(because, OSError) else ""
        super().__init__(
            f"Deletions are stopped: the list of protected jobs can’t be read{why}.",
            hint=f"Look at the disk that {name} is on, then try again."
            if _is_of_the_disk(because)
            else f"Put a good copy of {name} in its place, or choose “Start with an empty list” in the panel.",
        )


class ClockWrong(SetupProblem):
    """This machine's clock is more than a day from Comfy Cloud's, so nobody knows how old a job is."""

    code = "clock_wrong"
    default_hint = "Set this machine’s clock, then try again. Rules that count jobs work with any clock."

    def __init__(self, ours: datetime, theirs: datetime) -> None:
        super().__init__(
            "Rules about the age of jobs are stopped: this machine’s clock says "
            f"{ours:%Y-%m-%d %H:%M} UTC, Comfy Cloud’s {theirs:%Y-%m-%d %H:%M} UTC."
        )


class ManyUsers(SetupProblem):
    """Several people use this ComfyUI, and none of them can be told from the others."""

    code = "many_users"
    default_hint = (
        "Sign in to ComfyUI with your own API key, or, if all users are to share one key and one state, start ComfyUI "
        "with COMFY_CLOUD_HISTORY_SHARED=1."
    )

    def __init__(self) -> None:
        super().__init__(
            "This ComfyUI has several users (--multi-user) and authenticates none of them, so a saved key would be "
            "everybody’s. It is not used."
        )
