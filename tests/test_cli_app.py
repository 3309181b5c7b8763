"""`district-sim app`: what it says before a page is served."""

import socket
from collections.abc import Callable

import pytest
from typer.testing import Result

Call = Callable[..., Result]


def test_a_taken_port_is_told(call: Call) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = call("app", "--no-browser", "--port", str(port))
    assert result.exit_code == 2
    assert f"port {port} is taken" in result.output
    assert "choose another with --port" in result.output


def test_an_unknown_scenario_is_told(call: Call) -> None:
    result = call("app", "learning_regoin", "--no-browser", "--port", "0")
    assert result.exit_code == 2
    assert "did you mean 'learning_region'?" in result.output


def test_an_address_of_another_machine_is_told(call: Call) -> None:
    result = call("app", "--no-browser", "--port", "0", "--host", "192.0.2.1")  # reserved for documents (RFC 5737)
    assert result.exit_code == 1
    assert "cannot be served at 192.0.2.1" in result.output


def test_what_is_missing_is_named_with_the_cure(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    result = call("app")
    assert result.exit_code == 1
    assert "pip install 'district-sim[app]'" in result.output


def test_only_this_machine_is_let_in_by_default(call: Call) -> None:
    assert "127.0.0.1" in call("app", "--help").output
