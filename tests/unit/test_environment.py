"""Environment variables: all read in one module, and all trimmed alike."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from cloud_history import environment
from cloud_history.cloud.client import find_proxy
from cloud_history.config import BaseUrl, read_base_url, state_folder
from cloud_history.state.credentials import KeyStore
from cloud_history.state.settings import permission
from hosts import CHECKOUT

WRAPPED = ['"{}"', "'{}'", " {}\n", '\t"{}" ', "\"'{}'\"", '" {} "']
READERS = {"environ", "environb", "getenv", "getenvb", "getproxies", "getproxies_environment", "expandvars"}


@pytest.mark.parametrize("wrapped", WRAPPED)
def test_every_variable_is_trimmed_alike(
    wrapped: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert state_folder({"COMFY_CLOUD_HISTORY_HOME": wrapped.format(tmp_path)}) == tmp_path
    assert state_folder({"XDG_DATA_HOME": wrapped.format(tmp_path)}) == tmp_path / "comfy-cloud-history"
    url = wrapped.format("https://cloud.example")
    assert read_base_url({"COMFY_CLOUD_BASE_URL": url}).url == "https://cloud.example"
    key = KeyStore(tmp_path, {"COMFY_CLOUD_API_KEY": wrapped.format("comfyui-1234")}).get()
    assert key.secret.reveal() == "comfyui-1234"
    assert permission("ask", {"COMFY_CLOUD_HISTORY_NODES": wrapped.format("never")}).mode == "never"
    shared = KeyStore(tmp_path, {"COMFY_CLOUD_HISTORY_SHARED": wrapped.format("1")}, many_users=True)
    assert not shared.everybodys
    monkeypatch.setenv("HTTPS_PROXY", wrapped.format("http://proxy.example:3128"))
    cloud = BaseUrl("https://cloud.example", "cloud.example")
    assert find_proxy(cloud) == "http://proxy.example:3128"
    monkeypatch.setenv("NO_PROXY", wrapped.format("cloud.example"))
    assert find_proxy(cloud) is None


@pytest.mark.parametrize("blank", ["", " ", '""', "''", '" "', "\n"])
def test_a_variable_with_nothing_in_it_is_not_set(blank: str, tmp_path: Path) -> None:
    assert environment.variable("X", {"X": blank}) == ""
    assert state_folder({"COMFY_CLOUD_HISTORY_HOME": blank}, inside_comfyui=tmp_path) == tmp_path
    assert KeyStore(tmp_path, {"COMFY_CLOUD_API_KEY": blank}).find() is None


@pytest.mark.parametrize("kept", ['"', "'x", 'x"', "\"x'", 'a"b"c', "it's"])
def test_quotes_that_are_no_pair_are_part_of_the_value(kept: str) -> None:
    assert environment.variable("X", {"X": kept}) == kept


def test_no_other_shipped_module_reads_the_environment() -> None:
    shipped = [
        *CHECKOUT.glob("cloud_history/**/*.py"),
        *CHECKOUT.glob("nodes/*.py"),
        CHECKOUT / "comfy_host.py",
    ]
    assert len(shipped) > 60
    reading = set()
    for path in [*shipped, CHECKOUT / "__init__.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = {getattr(node, "attr", None), getattr(node, "id", None)}
            names |= {each.name for each in node.names} if isinstance(node, ast.ImportFrom) else set()
            # Our own parameters are called `environ` too, so only `os.environ` counts of those.
            if isinstance(node, ast.Name) and node.id == "environ":
                continue
            if names & READERS:
                reading.add(str(path.relative_to(CHECKOUT)))
    assert reading == {"cloud_history/environment.py"}
