"""Points the clients at a local exchange, and starts one.

Every script here runs against a real `plimsoll venue` process, whose path is the first argument.
Nothing of the clients is changed but their addresses.
"""

import subprocess
import sys

KEY, SECRET = "demo", "demo-secret"
OTHER_KEY, OTHER_SECRET = "demo-2", "demo-2-secret"


class Venue:
    """A running exchange; use as a context manager."""

    def __init__(self, binary, *arguments):
        self.command = [binary, "venue", "--listen", "127.0.0.1:0", *arguments]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().strip()
        if not self.address:
            raise SystemExit(f"the exchange did not start: {self.command}")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        code = self.process.wait(timeout=20)
        if code != 0:
            raise SystemExit(f"the exchange ended with {code}")

    @property
    def http(self):
        return f"http://{self.address}"

    @property
    def ws(self):
        return f"ws://{self.address}"


def moved(url, base):
    return base + "/" + "/".join(url.split("/")[3:])


def ccxt_exchange(module, venue, key=KEY, secret=SECRET):
    """A ccxt (or ccxt.pro) Binance client whose addresses point at `venue`."""
    exchange = module.binance(
        {
            "apiKey": key,
            "secret": secret,
            "options": {"defaultType": "spot", "fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False},
        }
    )
    exchange.options["fetchMargins"] = False
    api = exchange.urls["api"]
    for name, value in api.items():
        if isinstance(value, str):
            api[name] = moved(value, venue.http)
    sockets = api.get("ws", {})
    for name, value in sockets.items():
        if isinstance(value, str):
            sockets[name] = moved(value, venue.ws)
        elif isinstance(value, dict):
            sockets[name] = {inner: moved(url, venue.ws) for inner, url in value.items() if isinstance(url, str)}
    return exchange


def check(condition, what):
    if not condition:
        raise AssertionError(what)
    print(f"ok: {what}", flush=True)


def binary():
    if len(sys.argv) != 2:
        raise SystemExit(f"usage: {sys.argv[0]} PATH-TO-PLIMSOLL")
    return sys.argv[1]
