"""The server of the page: bound to one address, asking nobody else for anything."""

import contextlib
import os
import socket
import threading
import warnings
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

CARRIED = Path(__file__).parent / "carried"
"""What the browser loads of Solara, by its version; see README.md there."""
NETWORK = ("0.0.0.0", "::", "")
"""Hosts that mean: everybody in the network."""

_OFF = "http://127.0.0.1:9/"  # the discard port: whoever asks there is refused at once
_ENVIRONMENT = {
    "SOLARA_APP": "district_sim.app.app",
    "SOLARA_MODE": "production",  # development mode loads a check from another host
    "SOLARA_TELEMETRY_MIXPANEL_ENABLE": "False",
    "SOLARA_ASSETS_PROXY": "True",  # assets come from this server
    "SOLARA_ASSETS_PROXY_CACHE_DIR": str(CARRIED),
    "SOLARA_ASSETS_CDN": _OFF,
    "SOLARA_ASSETS_FONTAWESOME_ENABLED": "False",
    "SOLARA_THEME_SHOW_BANNER": "False",
    "SOLARA_KERNEL_CULL_TIMEOUT": "15m",  # a browser that lost its connection finds its district again until then
}


def stay_at_home() -> None:
    """No telemetry, no asset and no check from elsewhere, also when somebody else started Solara's server."""
    import solara.server.settings
    import solara.settings

    solara.server.settings.telemetry.mixpanel_enable = False
    solara.server.settings.main.mode = "production"
    solara.settings.assets.proxy = True
    solara.settings.assets.cdn = _OFF
    solara.server.settings.assets.proxy_cache_dir = CARRIED
    solara.server.settings.assets.fontawesome_enabled = False


def bound(host: str, port: int) -> socket.socket:
    """A socket bound to an address, so that a port that is taken is known before anything is started.

    Args:
        port: 0 for any free one.

    Raises:
        OSError: it is taken, or may not be used, or there is no such host.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    made = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(128)
    except OSError:
        made.close()
        raise
    return made


def addresses(host: str, port: int) -> list[str]:
    """Addresses at which a server is found that listens on a host, the best first; no packet is sent to find out."""
    if host not in NETWORK:
        return [f"http://{f'[{host}]' if ':' in host else host}:{port}/"]
    found: list[str] = []
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # of documents (RFC 5737): asks only which way it would go
        found.append(probe.getsockname()[0])
    with contextlib.suppress(OSError):
        found += [str(one[4][0]) for one in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)]
    outside = [one for one in dict.fromkeys(found) if not one.startswith("127.")]
    return [f"http://{one}:{port}/" for one in outside or ["127.0.0.1"]]


def serve(at: socket.socket, started: Callable[[], None], host: str = "") -> None:
    """Serve the page until Ctrl-C.

    Args:
        at: where; see `bound`.
        started: called once requests are answered.
        host: a name by which the page may be asked for, beside this machine's own.
    """
    os.environ.update(_ENVIRONMENT)
    bound_to, port = at.getsockname()[:2]
    os.environ |= {"SERVER_NAME": str(bound_to), "SERVER_PORT": str(port)}
    warnings.filterwarnings("ignore", "Cookies with samesite=none require https", UserWarning)  # http is meant here
    from solara.server import starlette

    stay_at_home()
    from district_sim.app.page_guard import PageGuard, own_names

    names = own_names() | ({host.lower()} if host not in NETWORK else set())
    serve_application(PageGuard(starlette.app, names), at, started, proxy_headers=False, server_header=False)


def serve_application(application: Any, at: socket.socket, started: Callable[[], None], **settings: Any) -> None:
    """Serve an ASGI application until Ctrl-C.

    Args:
        settings: of uvicorn.
    """
    import uvicorn

    config = uvicorn.Config(application, **{"log_level": "error", "timeout_graceful_shutdown": 2, **settings})
    server = uvicorn.Server(config)

    def wait() -> None:
        while not server.started and not server.should_exit:
            threading.Event().wait(0.05)
        if server.started:
            started()

    threading.Thread(target=wait, daemon=True).start()
    server.run(sockets=[at])


def show(url: str) -> None:
    """Open a browser; no harm where there is none."""
    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
