"""Sockets that listen, and their addresses."""

import socket

import pytest

pytest.importorskip("starlette", reason="needs the extra: nextword[serve]")
pytest.importorskip("uvicorn", reason="needs the extra: nextword[serve]")

from nextword.errors import NextwordError
from nextword.server.listening import listen, url_of


def test_a_socket_listens_and_has_an_address_for_browsers() -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        assert url_of(listener) == f"http://127.0.0.1:{port}"
        with socket.create_connection(("127.0.0.1", port), timeout=10):
            accepted, _ = listener.accept()
        with accepted:
            # asyncio sends small packets at once only where the protocol is known to be TCP
            assert accepted.proto == socket.IPPROTO_TCP


def test_all_addresses_are_reached_through_this_machines_own() -> None:
    with listen("0.0.0.0", 0) as listener:
        assert url_of(listener).startswith("http://127.0.0.1:")


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_an_address_of_version_6_is_in_brackets() -> None:
    try:
        listener = listen("::1", 0)
    except NextwordError:
        pytest.skip("this machine has no IPv6")
    with listener:
        assert url_of(listener).startswith("http://[::1]:")


@pytest.mark.parametrize(
    ("host", "said"),
    [("no such host", "--host no such host: "), ("a" * 300, "--host"), ("192.0.2.1", "192.0.2.1")],
)
def test_a_host_of_others_is_one_line(host: str, said: str) -> None:
    with pytest.raises(NextwordError, match=said) as refused:
        listen(host, 0)
    assert "\n" not in str(refused.value)
