"""`GET /api/assets` and `GET /api/jobs/{job_id}/assets`: the files of the account, with their sizes and hashes."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from .jobs import ABSENT, SimulatedJob
from .listing import choice, number
from .media import content_type_of
from .stored_files import FileFacts

if TYPE_CHECKING:
    from .cloud import SimulatedCloud

MAX_PAGE = 500
SORTS = ("created_at", "name", "updated_at", "size", "last_access_time")
PUBLIC = ("sd_xl_base_1.0.safetensors", "flux1-dev-fp8.safetensors", "juggernautXL_v9Rdphoto2Lightning.safetensors")
"""Assets of everybody, which are listed unless a client asks for its own ones."""
INPUTS = ("moodboard final FINAL (2).jpg", "lamp_reference.png")
"""Files that the person uploaded. They belong to no job."""


@dataclass(frozen=True)
class AssetQuery:
    """The validated parameters of a list of assets."""

    limit: int = 20
    offset: int = 0
    sort: str = "created_at"
    descending: bool = True
    with_public: bool = True
    contains: str = ""
    tags: frozenset[str] = frozenset()
    without_tags: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> AssetQuery:
        """Parse a query string, ignoring unknown parameters. Raises BadParameter."""
        return cls(
            limit=number(query, "limit", 20, 1, MAX_PAGE),
            offset=number(query, "offset", 0, 0, None),
            sort=choice(query, "sort", SORTS),
            descending=choice(query, "order", ("desc", "asc")) == "desc",
            with_public=choice(query, "include_public", ("true", "false")) == "true",
            contains=query.get("name_contains", "").lower(),
            tags=_words(query.get("include_tags", "")),
            without_tags=_words(query.get("exclude_tags", "")),
        )

    def wants(self, asset: Mapping[str, Any]) -> bool:
        """Whether the asset passes the filters."""
        tags = set(asset["tags"])
        if "models" in tags and not self.with_public:
            return False
        return self.contains in asset["name"].lower() and self.tags <= tags and not self.without_tags & tags


def assets_page(cloud: SimulatedCloud, query: AssetQuery) -> dict[str, Any]:
    """Build one page of assets. Slow, because it computes sizes and hashes: call it in a thread."""
    account = cloud.account
    named = [_bare(path, owner) for path, owner in account.owners.items() if path not in account.lost]
    named += [_other(name, "input") for name in INPUTS] + [_other(name, "models") for name in PUBLIC]
    wanted = [asset for asset in named if query.wants(asset)]
    if query.sort == "size":
        for asset in wanted:
            asset["size"] = _facts(cloud, asset).size
    # Assets without a time of access sort like those that were never changed.
    field = "created_at" if query.sort == "last_access_time" else query.sort
    wanted.sort(key=lambda asset: (asset[field], asset["id"]), reverse=query.descending)
    shown = wanted[query.offset : query.offset + query.limit]
    return {
        "assets": [_told(cloud, asset) for asset in shown],
        "total": len(wanted),
        "has_more": query.offset + len(shown) < len(wanted),
    }


def assets_of_job(cloud: SimulatedCloud, job: SimulatedJob) -> dict[str, Any]:
    """Build the answer with all assets of one job. Slow: call it in a thread."""
    found = [_told(cloud, _bare(path, job)) for path in job.paths if path not in cloud.account.lost]
    return {"assets": found, "total": len(found), "has_more": False}


def _bare(path: str, owner: SimulatedJob) -> dict[str, Any]:
    """Return the asset of an output without its size and hash. `path` is removed before it is sent."""
    made = _time(owner.update_time)
    return {
        "id": _id(path),
        "name": dict(zip(owner.paths, owner.files, strict=True)).get(path, path),
        "mime_type": content_type_of(path),
        "tags": ["output"],
        "prompt_id": owner.id,
        "created_at": made,
        "updated_at": made,
        "is_immutable": True,
        "path": path,
    }


def _other(name: str, tag: str) -> dict[str, Any]:
    made = _time(1_750_000_000_000)
    return {
        "id": _id(f"{tag}/{name}"),
        "name": name,
        "tags": [tag],
        "prompt_id": None,
        "created_at": made,
        "updated_at": made,
        "is_immutable": tag == "models",
    }


def _told(cloud: SimulatedCloud, asset: dict[str, Any]) -> dict[str, Any]:
    facts, told = _facts(cloud, asset), cloud.switches.assets_told
    if told != "nothing":
        asset["size"] = facts.size
    if told == "all" and facts.blake3 is not None:
        asset["asset_hash"] = f"blake3:{facts.blake3}"
    path = asset.pop("path", "")
    asset.update(cloud.account.told.get(path, {}))
    return {name: value for name, value in asset.items() if value is not ABSENT}


def _facts(cloud: SimulatedCloud, asset: Mapping[str, Any]) -> FileFacts:
    if "path" in asset:
        return cloud.account.facts_of(asset["path"])
    digest = hashlib.sha256(asset["name"].encode()).hexdigest()
    return FileFacts(1_000_000, digest, digest)


def _id(path: str) -> str:
    return str(uuid.UUID(bytes=hashlib.sha256(path.encode()).digest()[:16], version=4))


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, timezone.utc).isoformat(timespec="milliseconds")


def _words(text: str) -> frozenset[str]:
    return frozenset(filter(None, text.split(",")))
