"""Two thousand requests that nobody should send: each gets a clear answer, and none has any effect."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

from support.route_places import CHANGING, EMPTY
from support.route_stage import OTHER_KEY, Answer, Stage

CASES = 2000
SEED = 20_260_401
Case = tuple[str, Any, dict[str, Any]]

LEAKS = ("Traceback", 'File "', ".py", "cloud_history/", "Error(", "object at 0x")

TEXTS = [
    "",
    " ",
    "true",
    "null",
    "\x00",
    "\ud800",
    "é" * 9,
    "\u202e",
    "<script>",
    "../..",
    "%2e%2e",
    "{}",
    "0",
]
HEADERS: list[dict[str, Any]] = [
    {"X-Cloud-History": None},
    {"X-Cloud-History": "yes"},
    {"Origin": "null"},
    {"Origin": "http://evil.example"},
    {"Origin": "http://127.0.0.1:1"},
    {"Host": "evil.example"},
    {"Host": "127.0.0.1.nip.io:8188"},
    {"Host": "a@127.0.0.1"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Content-Type": None},
    {"Content-Type": "text/plain"},
    {"Content-Type": "application/x-www-form-urlencoded"},
    {"Content-Type": "multipart/form-data; boundary=x"},
]


def value(pick: random.Random, depth: int = 0) -> Any:
    """Any JSON value that is no text: no such value is what a member wants."""
    kinds: list[Callable[[], Any]] = [
        lambda: None,
        lambda: pick.randint(-(10**30), 10**30),
        lambda: pick.uniform(-1e308, 1e308),
        lambda: [value(pick, depth + 1) for _ in range(pick.randint(0, 3))] if depth < 4 else [],
        lambda: {text(pick): value(pick, depth + 1) for _ in range(pick.randint(0, 3))} if depth < 4 else {},
    ]
    return pick.choice(kinds)()


def wrong_value(pick: random.Random, honest: Any) -> Any:
    """A value of another kind than the honest one: a number, a list or an object can be right by chance."""
    made = value(pick)
    return "wrong" if type(made) in (type(honest), int) and not isinstance(honest, str) else made


def text(pick: random.Random) -> str:
    some = "".join(chr(pick.choice([pick.randint(0, 127), pick.randint(128, 0xD7FF)])) for _ in range(6))
    return pick.choice([*TEXTS, some, some * 50])


def wrong_bytes(pick: random.Random, honest: bytes) -> bytes:
    """The honest body with its beginning lost: whatever is left is no JSON object."""
    return pick.choice(
        [honest[pick.randint(1, len(honest)) :], pick.randbytes(pick.randint(0, 400)), b"\xff" + honest]
    )


def case(pick: random.Random, stage: Stage) -> Case:
    """One request that is wrong in one way for sure, and perhaps in more."""
    route = pick.choice(CHANGING)
    honest = json.loads(stage.honest_body(route))
    member = next(iter(honest), "x")
    bodies: list[Any] = [
        wrong_bytes(pick, stage.honest_body(route)),
        {**honest, member: wrong_value(pick, honest.get(member))},
        {**honest, f"{member}{pick.randint(0, 9)}": value(pick)},
        value(pick) if route in EMPTY else {},
        [honest],
        text(pick),
    ]
    if route == "jobs":
        # Nothing at all is a request for every job.
        bodies[3] = {"filter": {"statuses": ["done"]}}
    body = pick.choice(bodies)
    if body == {} and route in EMPTY:
        body = [body]
    if pick.random() < 0.5:
        return route, pick.choice([body, honest]), dict(pick.choice(HEADERS))
    return route, body, {}


def is_clear(answer: Answer) -> bool:
    error = answer.json["error"]
    return bool(error["message"]) and error["code"] in ("refused", "invalid_request")


async def test_nothing_malformed_reaches_the_cloud_or_the_disk_and_each_is_answered_clearly(
    target: Stage,
) -> None:
    pick = random.Random(SEED)
    before, seen = target.kept_files(), set[int]()
    for number in range(CASES):
        route, body, headers = case(pick, target)
        answer = await target.ask(route, body, headers=headers)
        shown = (number, route, body, headers, answer)
        assert 400 <= answer.status < 500, shown
        assert is_clear(answer), shown
        assert not [leak for leak in (*LEAKS, str(target.folder)) if leak in answer.text], shown
        assert target.cloud.api_key not in answer.text, shown
        assert OTHER_KEY not in answer.text, shown
        assert target.cloud.requests == [], shown
        seen.add(answer.status)
    assert target.kept_files() == before
    assert seen >= {400, 403, 415}
    assert (await target.ask("clear")).status == 200, "the token was used up by a malformed request"
