"""A certificate that nobody trusts, on a real TLS socket."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiohttp import web

from cloud_history.cloud.client import CloudClient
from cloud_history.errors import UntrustedCertificate

OpenClient = Callable[..., CloudClient]
OPENSSL = shutil.which("openssl") or ""


@pytest.fixture
async def untrusted(tmp_path: Path) -> AsyncIterator[str]:
    """A server with a certificate that it has made for itself."""
    if not OPENSSL:
        pytest.skip("openssl is not installed, so there is no certificate to be made")
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1"]
    command = [OPENSSL, *made, "-keyout", str(key), "-out", str(cert)]
    await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    runner = web.AppRunner(web.Application(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    yield f"https://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_a_certificate_that_is_not_trusted_is_told_with_the_variable_that_helps(
    untrusted: str, open_client: OpenClient
) -> None:
    async with open_client(untrusted) as client:
        with pytest.raises(UntrustedCertificate) as caught:
            await client.clear_history()
    assert caught.value.sent is False
    assert "The certificate of 127.0.0.1" in caught.value.message
    assert "SSL_CERT_FILE" in caught.value.hint
    assert "internet connection" not in caught.value.hint
