"""What stands before the page: who is let in, what a browser is told, and the files that it loads."""

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from typer.testing import Result

pytest.importorskip("starlette")

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from district_sim.app import course, server
from district_sim.app.course import Source, scenario_of
from district_sim.app.page_guard import PageGuard
from district_sim.scenario.files import ScenarioError

HEAD = (
    '<!doctype html>\n<html>\n<meta name="viewport" content="width=device-width, initial-scale=1, maximum-scale=1, '
    'user-scalable=no, minimal-ui">x</html>'
)


@pytest.fixture
def client() -> Iterator[TestClient]:
    async def socket(ws: WebSocket) -> None:
        await ws.accept()
        await ws.send_text("in")
        await ws.close()

    routes = [
        Route("/", lambda _: HTMLResponse(HEAD)),
        Route("/close", lambda _: PlainTextResponse("closed"), methods=["POST"]),
        Route("/file", lambda _: PlainTextResponse("x", headers={"Cache-Control": "immutable"})),
        WebSocketRoute("/ws", socket),
    ]
    with TestClient(PageGuard(Starlette(routes=routes), {"localhost"}), base_url="http://localhost:8765") as made:
        yield made


def test_the_page_says_its_language_and_can_be_zoomed(client: TestClient) -> None:
    got = client.get("/", headers={"Accept-Encoding": "gzip"})
    assert '<html lang="en">' in got.text
    assert "maximum-scale" not in got.text
    assert "user-scalable" not in got.text
    assert "frame-ancestors 'none'" in got.headers["content-security-policy"]
    assert "connect-src 'self' blob: data: ws://localhost:8765" in got.headers["content-security-policy"]
    assert got.headers["x-frame-options"] == "DENY"
    assert client.get("/file").headers["cache-control"] == "immutable"


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:8765", ""])
def test_who_asks_for_another_host_is_refused(client: TestClient, host: str) -> None:
    got = client.get("/", headers={"Host": host})
    assert got.status_code == 421
    assert got.text == "This is not an address of the page."


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:9", "https://localhost:8765"])
def test_pages_from_elsewhere_reach_neither_socket_nor_beacon(client: TestClient, origin: str) -> None:
    assert client.post("/close", headers={"Origin": origin}).status_code == 403
    with (
        pytest.raises((WebSocketDisconnect, WebSocketDenialResponse)),
        client.websocket_connect("/ws", headers={"Origin": origin}),
    ):
        pass


def test_our_own_page_reaches_both(client: TestClient) -> None:
    ours = {"Origin": "http://localhost:8765", "Host": "localhost:8765"}
    assert client.post("/close", headers=ours).text == "closed"
    with client.websocket_connect("/ws", headers=ours) as socket:
        assert socket.receive_text() == "in"


def test_what_the_browser_loads_is_carried_in_the_versions_that_solara_asks_for() -> None:
    spec = find_spec("solara.server")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("without Solara there is no page")
    template = Path(spec.submodule_search_locations[0]) / "templates" / "solara.html.j2"
    asked = set(re.findall(r"(?:solara-vuetify-app|requirejs)@[\d.]+", template.read_text(encoding="utf-8")))
    folders = {path.name for path in server.CARRIED.rglob("*@*") if path.is_dir()} - {"@widgetti"}
    assert asked == folders
    dist = next(server.CARRIED.rglob("dist"))
    assert {"solara-vuetify-app8.min.js", "main8.css", "fonts.css"} <= {path.name for path in dist.iterdir()}
    for font in re.findall(r"url\((\w+\.woff2)\)", (dist / "fonts.css").read_text(encoding="utf-8")):
        assert (dist / font).is_file()


def test_an_open_page_prints_addresses_that_others_can_reach() -> None:
    assert server.addresses("127.0.0.1", 8765) == ["http://127.0.0.1:8765/"]
    assert server.addresses("::1", 8765) == ["http://[::1]:8765/"]
    for address in server.addresses("0.0.0.0", 8765):
        assert "0.0.0.0" not in address


def test_who_opens_the_page_to_the_network_is_told(call: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "serve", lambda at, started, host: (started(), at.close()))
    monkeypatch.setattr(
        server, "addresses", lambda host, port: [f"http://192.0.2.7:{port}/", f"http://192.0.2.8:{port}/"]
    )
    result: Result = call("app", "learning_region", "--no-browser", "--port", "0", "--host", "0.0.0.0")  # type: ignore[operator]
    assert result.exit_code == 0, result.output
    assert "everybody in your network" in result.output
    assert re.search(
        r"The page is at http://192\.0\.2\.7:\d+/\?scenario=learning_region  or  http://192", result.output
    )


def test_no_message_names_a_folder_of_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("extends: baseline\nstrategy: {sale: 3}\n")
    monkeypatch.setitem(course.opened, "mine.yaml", file)
    with pytest.raises(ScenarioError, match=r"^mine\.yaml:2: strategy\.sale = 3") as caught:
        scenario_of(Source("mine.yaml"), {})
    assert str(tmp_path) not in str(caught.value)
