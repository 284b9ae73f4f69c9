"""Who may talk to the server."""

from collections.abc import Callable

import pytest

pytest.importorskip("starlette", reason="needs the extra: nextword[serve]")
pytest.importorskip("httpx", reason="Starlette's test client needs httpx")

from starlette.testclient import TestClient

from nextword.server.guard import host_of, is_loopback

TOKEN = "s3cret-token"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.8.8.8", "localhost", "LOCALHOST.", "::1", "[::1]"]
)
def test_this_machine_has_many_names(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "example.com", "0.0.0.0", "10.0.0.1", "localhost.evil.com"])
def test_others_have_none_of_them(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("authority", "host"),
    [
        ("localhost:8123", "localhost"),
        ("[::1]:8123", "::1"),
        ("Example.COM", "example.com"),
        ("127.0.0.1@example.com", ""),
        ("127.0.0.1/example.com", ""),
        ("localhost:port", ""),
        ("[::1", ""),
        ("", ""),
    ],
)
def test_the_host_of_an_authority(authority: str, host: str) -> None:
    assert host_of(authority) == host


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:9", "127.0.0.1:8123", "[::1]", "[::1]:80"]
)
def test_loopback_is_let_in_at_any_port(client: TestClient, host: str) -> None:
    origin = f"http://{host}"
    assert client.get("/", headers={"Host": host, "Origin": origin}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "example.com"},
        {"Host": "127.0.0.1.example.com"},
        {"Host": ""},
        {"Origin": "http://example.com"},
        {"Origin": "https://127.0.0.1.example.com"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Host": "example.com", "Origin": "http://example.com"},
    ],
)
def test_foreign_hosts_and_origins_are_refused(client: TestClient, headers: dict[str, str]) -> None:
    for path in ("/", "/health", "/metrics", "/predict", "/v1/completions"):
        answered = client.request("POST", path, json={"text": "a"}, headers=headers)
        assert answered.status_code == 403
        assert answered.json()["error"]["message"].count("\n") == 0


def test_a_name_that_was_allowed_is_let_in(open_client: Callable[..., TestClient]) -> None:
    client = open_client(hosts=["books.lan", "[fe80::1]"])
    for host in ("books.lan", "BOOKS.lan:8123", "[fe80::1]:1"):
        headers = {"Host": host, "Origin": f"http://{host}"}
        assert client.get("/", headers=headers).status_code == 200
    assert client.get("/", headers={"Host": "10.0.0.1"}).status_code == 403


def test_a_server_on_all_addresses_knows_them_but_no_name(
    open_client: Callable[..., TestClient],
) -> None:
    client = open_client(any_address=True)
    own = {"Host": "10.0.0.1:8123", "Origin": "http://10.0.0.1:8123"}
    assert client.get("/", headers=own).status_code == 200
    assert client.get("/", headers={**own, "Origin": "http://10.0.0.2:8123"}).status_code == 403
    assert client.get("/", headers={"Host": "example.com"}).status_code == 403


def test_a_token_opens_all_but_the_page_and_health(open_client: Callable[..., TestClient]) -> None:
    client = open_client(token=TOKEN)
    assert client.get("/").status_code == client.get("/health").status_code == 200
    for header in (None, "", TOKEN, f"Basic {TOKEN}", "Bearer", "Bearer ", f"Bearer {TOKEN}x"):
        headers = {} if header is None else {"Authorization": header}
        answered = client.post("/predict", json={"text": "the"}, headers=headers)
        assert answered.status_code == 401
        assert answered.headers["WWW-Authenticate"] == "Bearer" and TOKEN not in answered.text
        assert client.get("/metrics", headers=headers).status_code == 401
    for scheme in ("Bearer", "bearer"):
        headers = {"Authorization": f"{scheme} {TOKEN}"}
        assert client.post("/predict", json={"text": "the"}, headers=headers).status_code == 200
    odd = client.post("/predict", headers={b"Authorization": b"Bearer \xff"})
    assert odd.status_code == 401


def test_every_answer_has_the_headers_that_protect_a_browser(client: TestClient) -> None:
    for path in ("/", "/health", "/nowhere"):
        headers = client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "Access-Control-Allow-Origin" not in headers
