"""The words of the panel: one small file a language, only for pages of this version."""

from __future__ import annotations

import asyncio
import gzip
import json
from pathlib import Path

from cloud_history import __version__
from cloud_history.routes.words import FOLDER, LANGUAGES
from support.route_stage import Answer, Stage

MAX_BYTES_SENT = 40_000
OURS = f"?version={__version__}"


async def words(stage: Stage, language: str, query: str = OURS, **headers: str) -> Answer:
    """Ask for the words of a language as a browser does."""
    given = {
        "Accept-Encoding": "gzip, deflate, br",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    return await stage.ask("words", path=f"words/{language}{query}", headers=given)


async def test_each_language_is_one_compressed_file_of_less_than_40_kb(stage: Stage) -> None:
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(f"{language}.json" for language in LANGUAGES)
    for language in LANGUAGES:
        answer = await words(stage, language)
        assert (answer.status, answer.headers["content-encoding"]) == (200, "gzip")
        assert answer.headers["content-type"] == "application/json; charset=utf-8"
        assert int(answer.headers["content-length"]) == len(answer.content) < MAX_BYTES_SENT, language
        assert gzip.decompress(answer.content) == (FOLDER / f"{language}.json").read_bytes()
    assert stage.cloud.requests == []


async def test_a_browser_that_accepts_no_gzip_gets_the_file_as_it_is(stage: Stage) -> None:
    for accepted in ("identity", "deflate, br", "gzip;q=0", "gzip; q=0.00, identity", "xgzip"):
        answer = await words(stage, "fr", Accept_Encoding=accepted)
        assert "content-encoding" not in answer.headers, accepted
        assert answer.content == (FOLDER / "fr.json").read_bytes()
    for accepted in ("GZIP", "br, gzip;q=0.5"):
        assert (await words(stage, "fr", Accept_Encoding=accepted)).headers["content-encoding"] == "gzip"


async def test_a_browser_that_has_the_words_is_told_that_they_are_the_same(stage: Stage) -> None:
    first = await words(stage, "fr")
    assert first.headers["cache-control"] == "no-cache"
    assert first.headers["vary"] == "Accept-Encoding"
    same = await words(stage, "fr", If_None_Match=first.headers["etag"])
    assert (same.status, same.content, same.headers["etag"]) == (304, b"", first.headers["etag"])
    assert (await words(stage, "es", If_None_Match=first.headers["etag"])).status == 200


async def test_a_page_of_another_version_gets_no_words(stage: Stage) -> None:
    for query in ("", "?version=", "?version=0.9.0", f"?version={__version__}x"):
        answer = await words(stage, "en", query)
        assert (answer.status, answer.code) == (400, "invalid_request"), query


async def test_only_the_languages_of_the_pack_have_words_and_no_path_leads_out_of_their_folder(stage: Stage) -> None:
    for language in ("de", "EN", "en.json", "..%2f..%2fmain", "%2e%2e", "en%00", "zh_TW", "%2fetc%2fpasswd"):
        answer = await words(stage, language)
        assert answer.status in (400, 404), language
        assert b"root:" not in answer.content


async def test_many_pages_at_once_get_the_same_words(stage: Stage) -> None:
    answers = await asyncio.gather(*(words(stage, "ru") for _ in range(12)))
    assert len({each.content for each in answers}) == 1


async def test_the_words_do_not_need_a_state_folder(stage: Stage) -> None:
    stage.lose_marker()
    assert json.loads(gzip.decompress((await words(stage, "en")).content))["list.title"] == "Cloud history"


def test_the_folder_of_the_words_has_the_version_in_its_name() -> None:
    assert Path(__file__).parents[2] / "js" / f"ui-{__version__}" / "words" == FOLDER
