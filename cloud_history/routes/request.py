"""Check that a request comes from this ComfyUI's own page, and read its body.

ComfyUI has no authentication, and any web page can send it a request. A hostile page could use DNS rebinding, so the
`Host` header is checked. It could use a sandboxed frame, so `Origin: null` is refused. It could use a form, so a header
that no form can send is required, and only a body declared as JSON is read. A video element can't send that header, so
the address of a video has a ticket instead.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timezone
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from aiohttp import web

from .. import environment
from ..errors import CloudError, InputRefused, TooManyJobIds
from ..jobs.filters import JobFilter, Selection
from ..jobs.ids import MAX_IDS, is_job_id
from ..jobs.status import ACTIVE, JobStatus
from ..json_pieces import WINDOW, ThreadPauses, loads
from ..state.settings import BACKUP, Backup
from ..tasks.threads import compute_in_thread

HEADER = "X-Cloud-History"
HOSTS_FILE = Path("/etc/hosts")
MAX_BODY_BYTES = 64 * 1024
_MAX_HOST_LENGTH = 260
MAX_SEND_SECONDS = 20.0
"""Maximum time for a browser to send a body or to receive one piece of an answer."""
MAX_BODY_BYTES_WITH_IDS = 8 * 1024 * 1024
"""Limit for a body with all selected jobs, up to 200,000 ids, to preview or protect. Other bodies have at most 100
ids."""
MAX_CONTAINERS = 1000
"""Maximum number of arrays and objects in a body. Parsing millions of them would block Python for a second."""


class RequestRefused(CloudError, code="refused"):
    """The request is not from this ComfyUI's own page, or its body is not acceptable."""

    def __init__(self, sentence: str, *, http_status: int = 403, **values: object) -> None:
        self.http_status = http_status
        super().__init__(sentence, **values)


def check_request(
    request: web.Request, environ: Mapping[str, str] = environment.PROCESS, *, has_ticket: bool = False
) -> None:
    """Refuse a request that is not from this ComfyUI's own page.

    Args:
        has_ticket: whether a ticket in the path replaces the header. The other checks stay.

    Raises:
        RequestRefused: a header is missing, or names another host, origin or site.
    """
    if not has_ticket and request.headers.get(HEADER) != "1":
        raise RequestRefused("header_missing", header=HEADER)
    hosts = request.headers.getall("Host", [])
    if len(hosts) != 1 or not _host_allowed(hosts[0], environ):
        raise _unknown_name(hosts)
    origins = request.headers.getall("Origin", [])
    if any(not _same_origin(origin, hosts[0]) for origin in origins):
        raise _other_origin(origins, hosts[0])
    sites = request.headers.getall("Sec-Fetch-Site", [])
    if any(site.lower() not in ("same-origin", "none") for site in sites):
        raise RequestRefused("other_page")


# `urlsplit` is not used, because it also accepts a path, a query or a user name in a Host header.
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+(?:%[0-9A-Za-z._%-]+)?\]|[0-9A-Za-z._-]+)(?::([0-9]{1,5}))?", re.ASCII)


def _unknown_name(hosts: Sequence[str]) -> RequestRefused:
    match = _HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
    if match is None:
        return RequestRefused("host_missing")
    name = match[1].lower()[:_MAX_HOST_LENGTH]
    return RequestRefused("unknown_host", name=name, variable=environment.ALLOWED_HOSTS)


def _other_origin(origins: Sequence[str], host: str) -> RequestRefused:
    match = re.fullmatch(rf"https?://{_HOST.pattern}", origins[0], re.ASCII) if len(origins) == 1 else None
    if match is None:
        return RequestRefused("framed_page")
    return RequestRefused("other_origin", origin=origins[0][:_MAX_HOST_LENGTH], host=host[:_MAX_HOST_LENGTH])


def _host_allowed(host: str, environ: Mapping[str, str]) -> bool:
    match = _HOST.fullmatch(host)
    if match is None or int(match[2] or 1) not in range(1, 65536):
        return False
    name = match[1].strip("[]").lower()
    if name == "localhost" or _is_ip(name) or name in _own_names():
        return True
    named = _named_hosts(environment.variable(environment.ALLOWED_HOSTS, environ))
    return any(name == each or (each[0] == "." and f".{name}".endswith(each)) for each in named)


@cache
def _named_hosts(value: str) -> frozenset[str]:
    """Return the host names in the variable as browsers send them. A leading dot matches a domain and its subdomains.

    People paste addresses from the address bar, so the scheme, the port and the path are removed.
    """
    named: set[str] = set()
    for entry in re.split(r"[\s,;]+", value):
        name = re.sub(r"^[a-z]+://", "", environment.trimmed(entry).lower()).partition("/")[0]
        name = re.sub(r":[0-9]*$", "", name) if name.count(":") == 1 or name.startswith("[") else name
        name = name.strip("[]").removeprefix("*") if name.startswith("*.") else name.strip("[]")
        named.update(_forms_in_host_header(name))
    return frozenset(named - {""})


def _forms_in_host_header(name: str) -> set[str]:
    """Return the forms in which browsers may send this name: non-ASCII letters in Punycode, by IDNA 2003 or 2008."""
    forms = {name} if name.isascii() else set()
    with suppress(UnicodeError):
        forms.add(name.encode("idna").decode("ascii"))
    labels = [each if each.isascii() else f"xn--{each.encode('punycode').decode()}" for each in name.split(".")]
    return {form for form in {*forms, ".".join(labels)} if form.strip(".")}


def _is_ip(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


@cache
def _own_names() -> frozenset[str]:
    """Return the names of this machine: its host name, with and without its domain, and with `.local`."""
    # `getfqdn` is not used, because it queries the network and would block the event loop.
    own = socket.gethostname().lower().rstrip(".")
    if not own:
        return frozenset()
    short = own.partition(".")[0]
    names = {own, short, f"{short}.local", *_full_names(own)}
    return frozenset(form for name in names for form in _forms_in_host_header(name))


def _full_names(own: str) -> list[str]:
    """Return the host name with its domain, from the hosts file or a Windows variable."""
    domain = environment.variable("USERDNSDOMAIN").lower()
    names = [f"{own}.{domain}"] if domain and "." not in own else []
    with suppress(OSError):
        for line in HOSTS_FILE.read_text("utf-8", "replace").splitlines():
            _, *called = line.partition("#")[0].lower().split() or [""]
            names += [each for each in called if own in called and each.startswith(f"{own}.")]
    return names


def _same_origin(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or origin.lower() != f"{parts.scheme}://{parts.netloc}".lower():
        return False
    if port == 0 or not _HOST.fullmatch(parts.netloc):
        return False
    try:
        own = urlsplit(f"//{host}")
        # A proxy may remove the port from either header. ComfyUI's own check also ignores a missing port.
        same_port = port is None or own.port is None or port == own.port
        return parts.hostname == own.hostname and same_port
    except ValueError:
        return False


Members = Mapping[str, type | tuple[type, ...]]
"""The members of a body, with their types."""
BACKUP_KINDS = (str, bool)
"""The types of the member `backup`. Before version 1.3 it was a boolean."""


def read_backup(body: Mapping[str, Any]) -> Backup | None:
    """Return what is to be kept before a deletion; None if the body does not say. Raise InputRefused for other words.

    True means the workflows, as before version 1.3.
    """
    given = body.get("backup")
    if isinstance(given, bool):
        return "workflows" if given else "off"
    if given is not None and given not in BACKUP:
        raise InputRefused("not_one_of", setting="backup", choices=", ".join(BACKUP))
    return cast("Backup | None", given)


async def read_body(
    request: web.Request,
    members: Members,
    required: tuple[str, ...] = (),
    *,
    largest: int = MAX_BODY_BYTES,
) -> dict[str, Any]:
    """Read the JSON object in a request. Members other than `members` are refused.

    Raises:
        RequestRefused: the body is not declared as JSON, is compressed, is too large, or cannot be read.
        InputRefused: the body is not a JSON object with these members.
    """
    if request.content_type != "application/json":
        raise RequestRefused("not_sent_as_json", http_status=415)
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise RequestRefused("body_compressed", http_status=415)
    try:
        body = await asyncio.wait_for(_read(request, largest), MAX_SEND_SECONDS)
    except (web.RequestPayloadError, ConnectionError, asyncio.TimeoutError):
        raise RequestRefused("body_unreadable", http_status=400) from None
    value = await _value_of(body)
    # Raised outside `except`, because json's own error contains the body, which may contain the API key.
    if value is _NOT_JSON:
        raise InputRefused("body_not_json")
    if not isinstance(value, dict):
        raise InputRefused("body_not_object")
    if unknown := sorted(set(value) - set(members)):
        raise InputRefused("unknown_members", count=len(unknown))
    for name, kind in members.items():
        kinds = kind if isinstance(kind, tuple) else (kind,)
        if name in value and type(value[name]) not in kinds:
            raise InputRefused("wrong_type", name=name, kind=" or ".join(_JSON_NAMES[each] for each in kinds))
        if name in required and name not in value:
            raise InputRefused("member_missing", name=name)
    return value


async def _read(request: web.Request, largest: int) -> bytes:
    too_large = RequestRefused("body_too_large", http_status=413)
    if (request.content_length or 0) > largest:
        raise too_large
    if request.content.at_eof():
        return await _read_cached(request, largest, too_large)
    body = bytearray()
    async for chunk in request.content.iter_chunked(16 * 1024):
        body += chunk
        if len(body) > largest:
            raise too_large
    return bytes(body)


async def _read_cached(request: web.Request, largest: int, too_large: RequestRefused) -> bytes:
    """Return a body that another pack's middleware has already read. In most cases, aiohttp has cached it."""
    body = await request.read()
    if len(body) > largest:
        raise too_large
    if not body and (request.content_length or "Transfer-Encoding" in request.headers):
        raise RequestRefused("body_taken", http_status=400)
    return body


async def _value_of(body: bytes) -> object:
    """Parse the body. Return _NOT_JSON if it is not JSON. Raise InputRefused if it has too many arrays and objects."""
    if body.count(b"[") + body.count(b"{") > MAX_CONTAINERS:
        raise InputRefused("body_too_nested")
    with suppress(ValueError):
        return await compute_in_thread(_parsed, body) if len(body) > WINDOW else _parsed(body)
    return _NOT_JSON


def _parsed(body: bytes) -> object:
    return loads(body.decode(json.detect_encoding(body), "surrogatepass"), ThreadPauses(), _DECODER)


_NOT_JSON = object()
_JSON_NAMES = {str: "string", bool: "boolean", int: "whole number", list: "list", dict: "object"}


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("duplicate member")
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=_refuse_duplicates)


MAX_SEARCH_CHARACTERS = 200
OUTPUT_TYPES = ("image", "video", "audio", "3d")

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_MEMBERS = ("statuses", "search", "after", "before", "workflow_id", "output_type", "protected", "saved")


def job_id_in(text: str) -> str:
    """Return the job id in an address, in lower case. Raise InputRefused if it is none."""
    if not is_job_id(text):
        raise InputRefused("not_a_job_id")
    return text.lower()


def read_selection(body: Mapping[str, Any]) -> Selection:
    """The selection in a body with exactly one of `ids` and `filter`.

    Raises:
        InputRefused: the ids or the filter are invalid.
    """
    if "filter" in body:
        return Selection(filter=read_filter(body["filter"]))
    return Selection(job_ids=read_ids(body["ids"]))


def read_ids(given: Sequence[object]) -> list[str]:
    """Return the job ids in a JSON array, in lower case and without duplicates.

    Raises:
        InputRefused: the array is empty, or an item is not a job id.
        TooManyJobIds: the array has more than MAX_IDS items.
    """
    if len(given) > MAX_IDS:
        raise TooManyJobIds(most=MAX_IDS)
    job_ids = [each.lower() for each in given if isinstance(each, str) and is_job_id(each)]
    if len(job_ids) != len(given):
        raise InputRefused("ids_not_job_ids")
    if not job_ids:
        raise InputRefused("ids_empty")
    return list(dict.fromkeys(job_ids))


def read_filter(given: Mapping[str, Any]) -> JobFilter:
    """Return the filter in a JSON object. Raise InputRefused if a member is unknown or invalid."""
    if unknown := sorted(set(given) - set(_MEMBERS)):
        raise InputRefused("unknown_filter_members", count=len(unknown))
    chosen = JobFilter(
        statuses=_statuses(given.get("statuses")),
        search=_text(given, "search"),
        after=_moment(given, "after"),
        before=_moment(given, "before"),
        workflow_id=_text(given, "workflow_id"),
        output_type=_text(given, "output_type"),
        protected=given.get("protected"),
        saved=_saved(given.get("saved")),
    )
    if chosen.output_type not in ("", *OUTPUT_TYPES):
        raise InputRefused("unknown_output_type")
    if not isinstance(chosen.protected, bool | None):
        raise InputRefused("protected_not_boolean")
    return chosen


def _statuses(given: object) -> tuple[JobStatus, ...]:
    if given is None:
        return ()
    if not isinstance(given, list):
        raise InputRefused("statuses_not_list")
    found: dict[JobStatus, None] = {}
    for word in given:
        if word == "active":
            found.update(dict.fromkeys(ACTIVE))
        elif isinstance(word, str) and word in JobStatus._value2member_map_:
            found[JobStatus(word)] = None
        else:
            raise InputRefused("unknown_status")
    return tuple(found)


def _saved(given: object) -> bool | None:
    if given is None or given == "":
        return None
    if given not in ("yes", "no"):
        raise InputRefused("saved_not_yes_or_no")
    return given == "yes"


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name, "")
    # JSON can contain a lone surrogate, but a URL cannot.
    if not isinstance(value, str) or len(value) > MAX_SEARCH_CHARACTERS or _LONE_SURROGATE.search(value):
        raise InputRefused("text_too_long", name=name, most=MAX_SEARCH_CHARACTERS)
    return value


def _moment(given: Mapping[str, Any], name: str) -> datetime | None:
    value = given.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e14:
        raise InputRefused("not_a_moment", name=name)
    return datetime.fromtimestamp(value / 1000, timezone.utc)
