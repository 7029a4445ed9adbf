"""Starts a gateway's double and a network around it on a free port of loopback."""

import threading
from collections.abc import Callable, Iterator

import pytest
from gateway_double import MISSED, POOL, PUBLIC, SID, TOKEN, Double, House
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client
from werkzeug.serving import make_server

from gateway.simulator.network import Network
from gateway.simulator.rest import create_rest


@pytest.fixture
def make_house() -> Iterator[Callable[..., House]]:
    servers = []

    def make(**options: object) -> House:
        double = Double()
        app = double.app()
        # A placeholder app first: the port is known only once the server is bound.
        server = make_server("127.0.0.1", 0, app, threaded=True)
        double.url = f"http://127.0.0.1:{server.server_port}"
        lines = {PUBLIC: "public", MISSED: "missed", POOL: "counselors"}
        settings = {"speed": 20.0, "calls_per_second": 20.0} | options
        network = Network(SID, TOKEN, double.url, lines, **settings)
        app.register_blueprint(create_rest(network))
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        servers.append((server, thread, network))
        client = Client(SID, TOKEN, http_client=TwilioHttpClient(timeout=5, pool_connections=False))
        client.api.base_url = f"{double.url}/simulator/api"
        return House(double, network, client)

    yield make
    for server, thread, network in servers:
        network.reset()
        network.courier.flush()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def house(make_house: Callable[..., House]) -> House:
    return make_house()
