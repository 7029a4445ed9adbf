"""Starts a gateway's double and a network around it on a free port of loopback."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from simulator.gateway_double import MISSED, POOL, PUBLIC, SID, TOKEN, Double, House
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client
from werkzeug.serving import make_server

from gateway.clock import DemoClock
from gateway.simulator.network import Network
from gateway.simulator.pages import create_simulator


@pytest.fixture
def make_house(tmp_path: Path) -> Iterator[Callable[..., House]]:
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
        clock = DemoClock(tmp_path / f"clock-{len(servers)}.json")
        house = House(double, network, Client(SID, TOKEN, http_client=TwilioHttpClient(timeout=5)), clock)
        blueprint = create_simulator(
            network,
            clock=clock,
            captions=lambda sound: double.captions.get(sound, {}),
            reasons=lambda: house.reasons,
            reset=lambda: house.resets.append(True),
            console_url="/console/",
        )
        app.register_blueprint(blueprint)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        servers.append((server, thread, house))
        house.client.api.base_url = f"{double.url}/simulator/api"
        return house

    yield make
    for server, thread, house in servers:
        house.network.reset()
        house.network.courier.flush()
        server.shutdown()
        thread.join()
        server.server_close()
        house.client.http_client.session.close()


@pytest.fixture
def house(make_house: Callable[..., House]) -> House:
    return make_house()
