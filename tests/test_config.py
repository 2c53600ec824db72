"""Environment variables: the base URL, the state folder, and how all values are trimmed."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from cloud_history import environment
from cloud_history.cloud.client import find_proxy
from cloud_history.config import BaseUrl, is_loopback, read_base_url, state_folder
from cloud_history.errors import StateFolderRefused, UnsafeBaseUrl
from cloud_history.state.credentials import KeyStore
from cloud_history.state.settings import node_deletion_mode
from hosts import CHECKOUT


def base_url(given: str) -> str:
    return read_base_url({"COMFY_CLOUD_BASE_URL": given}).url


@pytest.mark.parametrize("environ", [{}, {"COMFY_CLOUD_BASE_URL": ""}, {"COMFY_CLOUD_BASE_URL": "  "}], ids=str)
def test_the_default_base_url_is_comfy_cloud(environ: dict[str, str]) -> None:
    found = read_base_url(environ)
    assert (found.url, found.host, found.loopback) == ("https://cloud.comfy.org", "cloud.comfy.org", False)


@pytest.mark.parametrize(
    ("given", "url", "host"),
    [
        ("https://cloud.example", "https://cloud.example", "cloud.example"),
        (" https://cloud.example/ ", "https://cloud.example", "cloud.example"),
        ("https://cloud.example///", "https://cloud.example", "cloud.example"),
        ("https://Cloud.Example:8443/", "https://Cloud.Example:8443", "cloud.example:8443"),
        ("https://cloud.example/behind/a/path/", "https://cloud.example/behind/a/path", "cloud.example"),
        ("HTTPS://cloud.example", "HTTPS://cloud.example", "cloud.example"),
        ("http://127.0.0.1:8188", "http://127.0.0.1:8188", "127.0.0.1:8188"),
        ("http://127.9.9.9:1", "http://127.9.9.9:1", "127.9.9.9:1"),
        ("http://localhost", "http://localhost", "localhost"),
        ("http://[::1]:80/", "http://[::1]:80", "[::1]:80"),
    ],
)
def test_a_base_url_with_https_or_with_http_on_loopback_is_accepted(given: str, url: str, host: str) -> None:
    found = read_base_url({"COMFY_CLOUD_BASE_URL": given})
    assert (found.url, found.host) == (url, host)


@pytest.mark.parametrize(
    "given",
    [
        "http://cloud.comfy.org",
        "http://192.168.1.4:8188",
        "http://0.0.0.0:8188",
        "http://localhost.example",
        "http://127.0.0.1.example",
        "http://127.0.0.1@cloud.example",
        "http://2130706433",
        "http://[::2]",
        "ftp://cloud.example",
        "file:///etc/passwd",
        "//cloud.example",
        "cloud.comfy.org",
        "https://",
        "https:///api",
        "https://:443",
        "https://cloud.example:port",
        "https://cloud.example:99999",
        "https://[::1",
        "https://user@cloud.example",
        "https://user:pass@cloud.example",
        "https://:@cloud.example",
        "https://@cloud.example",
        "https://cloud.example/?next=1",
        "https://cloud.example?",
        "https://cloud.example/#top",
        "https://cloud.example#",
        "https://cloud.example/a b",
        "https://cloud.exa\nmple",
        "https://cloud.exa\tmple",
        "https://cloud.example/\x7f",
        "https://clоud.example",
        "https://cloud.example/é",
    ],
)
def test_any_other_base_url_is_refused_and_not_quoted_in_the_error(given: str) -> None:
    with pytest.raises(UnsafeBaseUrl) as caught:
        base_url(given)
    assert given.strip() not in str(caught.value)
    assert "COMFY_CLOUD_BASE_URL" in caught.value.hint
    assert caught.value.code == "unsafe_base_url"


def test_only_loopback_addresses_count_as_this_machine() -> None:
    for name in ("localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "::1"):
        assert is_loopback(name), name
    for name in ("", "localhost.", "0.0.0.0", "10.0.0.1", "cloud.comfy.org", "127.0.0.1.example", "127.1"):
        assert not is_loopback(name), name


def test_is_this_machine_is_true_for_loopback_base_urls() -> None:
    assert read_base_url({"COMFY_CLOUD_BASE_URL": "http://[::1]:5/x"}).loopback
    assert not read_base_url({"COMFY_CLOUD_BASE_URL": "https://127.0.0.1.example"}).loopback


def test_environment_variables_are_read_at_each_call(monkeypatch: pytest.MonkeyPatch) -> None:
    for url in ("https://one.example", "https://two.example"):
        monkeypatch.setenv("COMFY_CLOUD_BASE_URL", url)
        assert read_base_url().url == url


def test_the_state_folder_in_the_environment_overrides_that_of_comfyui(tmp_path: Path) -> None:
    environ = {"COMFY_CLOUD_HISTORY_HOME": f" {tmp_path} "}
    assert state_folder(environ, inside_comfyui=Path("/elsewhere")) == tmp_path


def test_a_tilde_in_the_state_folder_variable_means_the_home_folder() -> None:
    assert state_folder({"COMFY_CLOUD_HISTORY_HOME": "~/kept"}) == Path.home() / "kept"


@pytest.mark.parametrize(
    "named",
    [
        "state",
        "./state",
        "../state",
        "$HOME/state",
        "${HOME}/state",
        "/data/$USER/state",
        "%USERPROFILE%/state",
        "/data/%USERNAME%",
        "~nobody-of-that-name/state",
        '"/data/x',
        "/data/x\x00y",
        "/data\nx",
        "file:///data/x",
    ],
)
def test_the_error_for_a_relative_state_folder_names_the_variable(named: str) -> None:
    with pytest.raises(StateFolderRefused) as caught:
        state_folder({"COMFY_CLOUD_HISTORY_HOME": named}, inside_comfyui=Path("/elsewhere"))
    assert f"COMFY_CLOUD_HISTORY_HOME is “{named}”" in caught.value.message
    assert "Set COMFY_CLOUD_HISTORY_HOME to the whole path" in caught.value.hint
    assert caught.value.code == "state_folder_refused"


def test_a_dollar_without_a_variable_name_stays_in_the_path_of_the_state_folder(tmp_path: Path) -> None:
    folder = tmp_path / "share$" / "100%"
    assert state_folder({"COMFY_CLOUD_HISTORY_HOME": str(folder)}) == folder


def test_symlinks_in_the_path_of_the_state_folder_are_resolved(tmp_path: Path) -> None:
    (tmp_path / "disk" / "state").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    found = state_folder({"COMFY_CLOUD_HISTORY_HOME": str(tmp_path / "link" / "state")})
    assert found == tmp_path / "disk" / "state"
    assert state_folder({}, inside_comfyui=tmp_path / "link") == tmp_path / "disk"


def test_a_state_folder_linked_to_a_missing_disk_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    with pytest.raises(StateFolderRefused, match=f"{tmp_path}/link is a link to {tmp_path}/disk") as caught:
        state_folder({"COMFY_CLOUD_HISTORY_HOME": str(tmp_path / "link")})
    assert "Mount" in caught.value.hint


def test_a_relative_data_folder_of_the_platform_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    expected = Path.home() / ".local/share/comfy-cloud-history"
    assert state_folder({"XDG_DATA_HOME": "data"}) == expected


@pytest.mark.parametrize("home", ["here", "."])
def test_a_relative_home_folder_is_refused(home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("HOME", home)
    with pytest.raises(StateFolderRefused, match="home folder"):
        state_folder({})
    with pytest.raises(StateFolderRefused, match="COMFY_CLOUD_HISTORY_HOME"):
        state_folder({"COMFY_CLOUD_HISTORY_HOME": "~/x"})


def test_inside_comfyui_the_state_folder_is_its_system_user_folder(tmp_path: Path) -> None:
    for environ in ({}, {"COMFY_CLOUD_HISTORY_HOME": " "}):
        assert state_folder(environ, inside_comfyui=tmp_path) == tmp_path


@pytest.mark.parametrize(
    ("platform", "environ", "folder"),
    [
        ("linux", {"XDG_DATA_HOME": "/data"}, Path("/data/comfy-cloud-history")),
        ("linux", {}, Path.home() / ".local/share/comfy-cloud-history"),
        ("linux", {"XDG_DATA_HOME": ""}, Path.home() / ".local/share/comfy-cloud-history"),
        (
            "darwin",
            {"XDG_DATA_HOME": "/data"},
            Path.home() / "Library/Application Support/comfy-cloud-history",
        ),
        ("win32", {"LOCALAPPDATA": "/local"}, Path("/local/comfy-cloud-history")),
        ("win32", {}, Path.home() / "AppData/Local/comfy-cloud-history"),
    ],
)
def test_outside_comfyui_the_state_folder_is_in_the_data_folder_of_the_platform(
    monkeypatch: pytest.MonkeyPatch, platform: str, environ: dict[str, str], folder: Path
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    assert state_folder(environ) == folder


# Reading environment variables


WRAPPED = ['"{}"', "'{}'", " {}\n", '\t"{}" ', "\"'{}'\"", '" {} "']
READERS = {"environ", "environb", "getenv", "getenvb", "getproxies", "getproxies_environment", "expandvars"}


@pytest.mark.parametrize("wrapped", WRAPPED)
def test_spaces_and_quotes_around_every_environment_variable_are_removed(
    wrapped: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert state_folder({"COMFY_CLOUD_HISTORY_HOME": wrapped.format(tmp_path)}) == tmp_path
    assert state_folder({"XDG_DATA_HOME": wrapped.format(tmp_path)}) == tmp_path / "comfy-cloud-history"
    url = wrapped.format("https://cloud.example")
    assert read_base_url({"COMFY_CLOUD_BASE_URL": url}).url == "https://cloud.example"
    key = KeyStore(tmp_path, {"COMFY_CLOUD_API_KEY": wrapped.format("comfyui-1234")}).get()
    assert key.secret.reveal() == "comfyui-1234"
    assert node_deletion_mode("ask", {"COMFY_CLOUD_HISTORY_NODES": wrapped.format("never")}).mode == "never"
    shared = KeyStore(tmp_path, {"COMFY_CLOUD_HISTORY_SHARED": wrapped.format("1")}, many_users=True)
    assert not shared.refuses_shared_key
    monkeypatch.setenv("HTTPS_PROXY", wrapped.format("http://proxy.example:3128"))
    cloud = BaseUrl("https://cloud.example", "cloud.example")
    assert find_proxy(cloud) == "http://proxy.example:3128"
    monkeypatch.setenv("NO_PROXY", wrapped.format("cloud.example"))
    assert find_proxy(cloud) is None


@pytest.mark.parametrize("blank", ["", " ", '""', "''", '" "', "\n"])
def test_a_blank_environment_variable_counts_as_unset(blank: str, tmp_path: Path) -> None:
    assert environment.variable("X", {"X": blank}) == ""
    assert state_folder({"COMFY_CLOUD_HISTORY_HOME": blank}, inside_comfyui=tmp_path) == tmp_path
    assert KeyStore(tmp_path, {"COMFY_CLOUD_API_KEY": blank}).find() is None


@pytest.mark.parametrize("kept", ['"', "'x", 'x"', "\"x'", 'a"b"c', "it's"])
def test_unpaired_quotes_stay_in_the_value_of_an_environment_variable(kept: str) -> None:
    assert environment.variable("X", {"X": kept}) == kept


def test_only_the_environment_module_reads_environment_variables() -> None:
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
            # Parameters of our functions are named `environ` too, so only `os.environ` counts.
            if isinstance(node, ast.Name) and node.id == "environ":
                continue
            if names & READERS:
                reading.add(str(path.relative_to(CHECKOUT)))
    assert reading == {"cloud_history/environment.py"}
