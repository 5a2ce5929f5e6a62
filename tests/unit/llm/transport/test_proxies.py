"""Proxies of the environment."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import Iterable

import pytest
import trustme

from benchmarks.faults.socket_server import Close, ReceivedRequest, SocketServer, Step, Wait, whole
from rag_engine.error_handler import Phase
from rag_engine.errors import ConfigurationError, ConnectTimeoutError, LanguageModelError, ProxyError
from rag_engine.llm.transport import Transport, WireLimits, WireReply, WireRequest
from rag_engine.llm.transport.address import Origin
from rag_engine.llm.transport.proxies import route_to
from rag_engine.types.secret import Secret

KEY = Secret("sk-never-shown")
PASSWORD = "pass-never-shown"


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


def ask(url: str, verify: ssl.SSLContext | bool = True, times: int = 1) -> WireReply:
    async def main() -> WireReply:
        transport = Transport(limits=WireLimits(deadline=5, connect=0.5), verify=verify)
        for _ in range(times):
            reply = await transport.send(WireRequest(url, b"{}", key=KEY, provider="openai"))
        await transport.aclose()
        return reply

    return asyncio.run(main())


def fault_of(url: str) -> LanguageModelError:
    with pytest.raises(LanguageModelError) as caught:
        ask(url)
    shown = f"{caught.value!r} {caught.value.hint} {caught.value.__cause__!r} {caught.value.__context__!r}"
    assert PASSWORD not in shown
    assert KEY.reveal() not in shown
    return caught.value


def test_a_call_in_clear_is_handed_to_the_proxy_with_its_whole_address(monkeypatch: pytest.MonkeyPatch) -> None:
    with SocketServer(lambda request, number: whole(200, b"{}")) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url.replace("http://", f"http://user:{PASSWORD}@"))
        monkeypatch.setenv("http_proxy", os.environ["HTTP_PROXY"])
        assert ask("http://provider.test:8000/v1?a=b", times=2).body == b"{}"
        first, second = proxy.requests
    assert first.path == second.path == "http://provider.test:8000/v1?a=b"
    assert first.headers["host"] == "provider.test:8000"
    assert first.headers["proxy-authorization"].startswith("Basic ")


@pytest.mark.parametrize("url", ["http://provider.test/v1", "https://provider.test/v1"])
def test_a_proxy_that_wants_a_password_is_a_fault_of_the_proxy(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    with SocketServer(lambda request, number: whole(407, b"<html>", proxy_authenticate="Basic")) as proxy:
        monkeypatch.setenv("all_proxy", proxy.url.replace("http://", f"http://user:{PASSWORD}@"))
        error = fault_of(url)
        assert url.startswith("http:") or "authorization" not in proxy.requests[0].headers
    assert isinstance(error, ProxyError)
    assert (error.status, error.phase) == (407, Phase.PROXY)


@pytest.mark.parametrize(
    ("steps", "kind"),
    [
        ([Close()], ProxyError),
        ([Close(reset=True)], ProxyError),
        (whole(502, b"<html>"), ProxyError),
        (whole(403, b""), ProxyError),
        ([Wait(9)], ConnectTimeoutError),
        (whole(200, b"<html>this is no tunnel</html>"), ProxyError),
    ],
    ids=["closes", "resets", "answers 502", "answers 403", "is silent", "answers HTML as if it were the tunnel"],
)
def test_a_proxy_that_makes_no_tunnel_is_no_answer(
    monkeypatch: pytest.MonkeyPatch, steps: list[Step], kind: type[LanguageModelError]
) -> None:
    with SocketServer(lambda request, number: steps) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        error = fault_of("https://provider.test/v1")
        assert [request.method for request in proxy.requests] == ["CONNECT"]
        assert proxy.requests[0].path == "provider.test:443"
    assert type(error) is kind


def test_a_proxy_that_is_not_there_is_a_fault_of_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setenv("https_proxy", f"127.0.0.1:{port}")
    error = fault_of("https://provider.test/v1")
    assert isinstance(error, ProxyError)
    assert error.phase == Phase.PROXY


@pytest.mark.parametrize("through_tls", [False, True], ids=["plain proxy", "proxy over TLS"])
def test_a_tunnel_carries_a_call_to_the_provider_unread(monkeypatch: pytest.MonkeyPatch, through_tls: bool) -> None:
    authority = trustme.CA()
    trusting, serving = ssl.create_default_context(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.configure_trust(trusting)
    authority.issue_cert("provider.test", "127.0.0.1").configure_cert(serving)
    asked: list[bytes] = []

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        other_reader, other_writer = await asyncio.open_connection("127.0.0.1", provider.port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError):
                while data := await source.read(65536):
                    sink.write(data)
                    await sink.drain()
            sink.close()

        await asyncio.gather(pump(reader, other_writer), pump(other_reader, writer))

    async def main() -> list[bytes]:
        listener = await asyncio.start_server(relay, "127.0.0.1", 0, ssl=serving if through_tls else None)
        async with listener:
            port = listener.sockets[0].getsockname()[1]
            monkeypatch.setenv("https_proxy", f"http{'s' * through_tls}://user:{PASSWORD}@127.0.0.1:{port}")
            transport = Transport(limits=WireLimits(deadline=5), verify=trusting)
            request = WireRequest("https://provider.test/v1", b"{}", key=KEY)
            bodies = [(await transport.send(request)).body for _ in range(3)]
            await transport.aclose()
            await asyncio.sleep(0.1)
            return bodies

    def reply(request: ReceivedRequest, number: int) -> Iterable[Step]:
        return whole(200, b"x" * 200_000)

    with SocketServer(reply, tls=serving) as provider:
        assert asyncio.run(main()) == [b"x" * 200_000] * 3
        assert provider.requests[0].headers["authorization"] == f"Bearer {KEY.reveal()}"
        assert "proxy-authorization" not in provider.requests[0].headers
    assert len(asked) == 1
    assert asked[0].startswith(b"CONNECT provider.test:443 HTTP/1.1\r\n")
    assert KEY.reveal().encode() not in asked[0]


def test_this_machine_is_never_asked_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    for host in ("localhost", "127.0.0.1", "::1", "ollama.localhost", "127.8.8.8"):
        assert route_to(Origin("http", host, 80)).proxy is None
    with SocketServer(lambda request, number: whole(200, b"{}")) as server:
        assert ask(server.url).body == b"{}"


def test_hosts_that_are_excepted_are_asked_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.test:3128")
    monkeypatch.setenv("no_proxy", "inside.test,.corp.test")
    routes = {host: route_to(Origin("https", host, 443)).proxy for host in ("inside.test", "a.corp.test", "out.test")}
    assert routes["inside.test"] is routes["a.corp.test"] is None
    assert routes["out.test"] is not None
    assert routes["out.test"].origin == Origin("http", "proxy.test", 3128)


@pytest.mark.parametrize(
    "address", ["socks5://h:1080", "http://", "http://[::1", f"ftp://u:{PASSWORD}@h", "http://h:x"]
)
def test_a_proxy_whose_address_is_none_of_http_is_a_setting_to_mend(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("https_proxy", address)
    with pytest.raises(ConfigurationError, match="HTTPS_PROXY") as caught:
        route_to(Origin("https", "provider.test", 443))
    assert PASSWORD not in f"{caught.value!r} {caught.value.__context__!r}"
