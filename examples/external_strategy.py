#!/usr/bin/env python3
"""A strategy outside plimsoll: rests one small bid and one small ask around the market.

Python 3, standard library only. It shows the three things that every external strategy needs:

* Orders with ids of its own. An answer that never came is asked for again under the same id, so nothing is
  ever placed twice, whatever was cut: the wire, plimsoll, or this program's patience.
* The event stream. It begins with a snapshot, so coming back after a restart of plimsoll is the same code as
  the first start.
* A clean end: its own orders are cancelled, and their final states awaited.

    python3 examples/external_strategy.py --symbol BTCUSDT --for 60

Exit code: 0 when every order of its own is final at the end, 1 when not, 2 for wrong arguments.
"""

import argparse
import http.client
import json
import os
import queue
import secrets
import sys
import threading
import time
import urllib.parse
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

FINAL = {"filled", "cancelled", "rejected", "expired", "denied"}
ANSWER_SECONDS = 10
# plimsoll breaks every silence after five seconds: a longer one is a dead wire.
SILENCE_SECONDS = 15
END_SECONDS = 20


def say(*words):
    print(time.strftime("%H:%M:%S"), *words, flush=True)


class Api:
    """Requests, each on its own connection: simple, and a dead one cannot poison the next."""

    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"{url} is not an http:// address")
        self.host, self.port = parts.hostname, parts.port or 80
        # Where tokens were made, one with the scope `trade` is needed. Never a flag: others see those.
        token = os.environ.get("PLIMSOLL_TOKEN")
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def connect(self, timeout):
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout)

    def ask(self, method, path, body=None):
        """Status and answer; OSError or HTTPException when there is none."""
        connection = self.connect(ANSWER_SECONDS)
        try:
            headers = dict(self.headers)
            if body is not None:
                headers["Content-Type"] = "application/json"
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()


class Events(threading.Thread):
    """Follows the event stream and comes back to it for ever; hands (name, data) to a bounded queue."""

    def __init__(self, api):
        super().__init__(daemon=True)
        self.api, self.heard, self.pause = api, queue.Queue(maxsize=10_000), 0.1

    def run(self):
        while True:
            try:
                self.follow()
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.heard.put(("lost", {"why": f"{type(error).__name__}: {error}"}))
            time.sleep(self.pause)
            self.pause = min(self.pause * 2, 2.0)

    def follow(self):
        connection = self.api.connect(SILENCE_SECONDS)
        try:
            connection.request("GET", "/api/v1/events", headers={"Accept": "text/event-stream", **self.api.headers})
            answer = connection.getresponse()
            if answer.status != 200:
                raise ValueError(f"HTTP {answer.status}")
            name, data = "message", []
            while line := answer.readline():
                text = line.decode().rstrip("\r\n")
                if text.startswith("event: "):
                    name = text[len("event: "):]
                elif text.startswith("data: "):
                    data.append(text[len("data: "):])
                elif not text and data:
                    self.heard.put((name, json.loads("\n".join(data))))
                    self.pause = 0.1
                    name, data = "message", []
            raise ValueError("the stream ended")
        finally:
            connection.close()


class Strategy:
    def __init__(self, options, api):
        self.options, self.api = options, api
        # Unique for this run of the program; the rest of an id counts.
        self.prefix = f"py-{secrets.token_hex(4)}"
        self.made = 0
        self.orders = {}  # client order id -> the order as last heard
        self.unsure = {}  # client order id -> the request whose answer never came
        self.fills = set()
        self.held = Decimal(0)
        self.running = False

    # What is heard.

    def hear(self, name, data):
        if name == "snapshot":
            self.state(data["state"], data["reason"])
            for order in data["orders"]:
                self.order(order)
            self.refresh([i for i, o in self.orders.items() if o["state"] not in FINAL])
        elif name == "order":
            self.order(data["order"])
        elif name == "fill":
            self.fill(data["fill"])
        elif name == "state":
            self.state(data["state"]["state"], data["state"]["reason"])
        elif name == "resync":
            say("behind: a fresh snapshot follows")
        elif name in ("shutdown", "lost"):
            self.running = False
            say("plimsoll is away:", data.get("why", "it ends in order"))

    def state(self, word, reason):
        if self.running != (word == "running"):
            say(f"plimsoll is {word}: {reason}")
        self.running = word == "running"

    def order(self, order):
        name = order["client_order_id"]
        if not name.startswith(self.prefix):
            return
        known = self.orders.get(name, {})
        if known.get("state") in FINAL:
            return
        self.orders[name] = order
        self.unsure.pop(name, None)
        if known.get("state") != order["state"]:
            why = f" ({order['reason']})" if order["reason"] else ""
            say(f"{name} {order['side']} {order['quantity']} at {order['price']}: {order['state']}{why}")

    def fill(self, fill):
        if not (fill["client_order_id"] or "").startswith(self.prefix) or fill["trade_id"] in self.fills:
            return
        self.fills.add(fill["trade_id"])
        signed = Decimal(fill["quantity"]) * (1 if fill["side"] == "buy" else -1)
        self.held += signed
        say(f"filled {signed} at {fill['price']}, holding {self.held}")

    def refresh(self, names):
        """Reads orders one by one: some may have ended, and filled, while nobody listened."""
        for name in names:
            try:
                status, order = self.api.ask("GET", f"/api/v1/orders/{name}")
                if status == 200:
                    self.order(order)
                status, fills = self.api.ask("GET", f"/api/v1/fills?client_order_id={name}&limit=1000")
                for fill in fills["items"] if status == 200 else []:
                    self.fill(fill)
            except (OSError, http.client.HTTPException, ValueError):
                return

    # What is done.

    def decide(self):
        self.settle()
        if not self.running:
            return
        market = self.quote()
        if market is None:
            return
        bid, ask = market
        middle = (bid + ask) / 2
        offset, tick = middle * self.options.spread / 2, self.options.tick
        # Rounded away from the middle, and never through the other side.
        wanted = {
            "buy": min((middle - offset).quantize(tick, ROUND_FLOOR), ask - tick),
            "sell": max((middle + offset).quantize(tick, ROUND_CEILING), bid + tick),
        }
        limit = self.options.max_position
        may = {"buy": self.held < limit, "sell": self.held > -limit}
        for side, price in wanted.items():
            working = [o for o in self.orders.values() if o["side"] == side and o["state"] not in FINAL]
            waits = any(request["side"] == side for request in self.unsure.values())
            if not working and not waits and may[side]:
                self.place(side, price)
            for order in working:
                moved = abs(Decimal(order["price"]) - price) > offset / 2
                if (moved or not may[side]) and order["state"] in ("working", "partially_filled"):
                    self.cancel(order["client_order_id"])

    def quote(self):
        try:
            status, answer = self.api.ask("GET", "/api/v1/quotes")
        except (OSError, http.client.HTTPException, ValueError):
            return None
        for item in answer["items"] if status == 200 else []:
            named = self.options.venue in (None, item["venue"])
            if named and item["symbol"] == self.options.symbol and item["bid"] and item["ask"]:
                return Decimal(item["bid"]), Decimal(item["ask"])
        return None

    def place(self, side, price):
        self.made += 1
        name = f"{self.prefix}-{self.made}"
        request = {
            "client_order_id": name, "symbol": self.options.symbol, "side": side, "type": "limit",
            "quantity": str(self.options.quantity), "price": str(price), "strategy": self.options.strategy,
        }
        if self.options.venue:
            request["venue"] = self.options.venue
        # Noted before it is sent: from here on it may exist.
        self.unsure[name] = request
        self.send(name, request)

    def settle(self):
        """Asks again for answers that never came, under the same ids. The same order is never placed twice."""
        for name, request in list(self.unsure.items()):
            say(f"{name}: no answer yet, asking again under the same id")
            self.send(name, request, again=True)

    def send(self, name, request, again=False):
        try:
            status, answer = self.api.ask("POST", "/api/v1/orders", request)
        except (OSError, http.client.HTTPException, ValueError) as error:
            say(f"{name}: no answer ({type(error).__name__}); it may or may not be placed")
            return
        if status == 202:
            self.unsure.pop(name, None)
            # The stream tells the rest; until it does, this side is taken.
            self.orders.setdefault(name, {**request, "state": answer["state"], "reason": None})
        elif status == 503:
            # A "not now" speaks of this request alone, not of an earlier one whose answer never came.
            if again or answer.get("code") == "outcome_unknown":
                self.unsure[name] = request
            else:
                self.unsure.pop(name, None)
            say(f"{name}: not now: {answer.get('detail')}")
        else:
            # The same id again is the same order: a refusal means that there is none.
            self.unsure.pop(name, None)
            say(f"{name}: refused: {answer.get('detail')}")

    def cancel(self, name):
        try:
            status, answer = self.api.ask("DELETE", f"/api/v1/orders/{name}?reason=moved")
            if status != 202:
                say(f"{name}: cancel refused: {answer.get('detail')}")
        except (OSError, http.client.HTTPException, ValueError) as error:
            say(f"{name}: no answer to the cancel ({type(error).__name__})")


def main():
    parser = argparse.ArgumentParser(description="Quotes a small bid and ask through plimsoll.")
    parser.add_argument("--url", default="http://127.0.0.1:8787")
    parser.add_argument("--symbol", default="BTCUSDT")
    parser.add_argument("--venue", help="needed only when plimsoll has more than one")
    parser.add_argument("--strategy", default="manual", help="whose orders they are, by the configuration")
    parser.add_argument("--quantity", type=Decimal, default=Decimal("0.001"))
    parser.add_argument("--spread", type=Decimal, default=Decimal("0.0004"), help="as a fraction of the price")
    parser.add_argument("--tick", type=Decimal, default=Decimal("0.01"))
    parser.add_argument("--max-position", type=Decimal, default=Decimal("0.01"))
    parser.add_argument("--for", type=float, default=60.0, dest="seconds", metavar="SECONDS")
    options = parser.parse_args()
    try:
        api = Api(options.url)
    except ValueError as error:
        parser.error(str(error))
    strategy, events = Strategy(options, api), Events(api)
    say(f"quoting {options.symbol} for {options.seconds:g} s, ids begin with {strategy.prefix}")
    events.start()

    def listen(until, act, done=lambda: False):
        acts_at = 0.0
        while (now := time.monotonic()) < until and not done():
            if now >= acts_at:
                act()
                acts_at = time.monotonic() + 0.5
            try:
                strategy.hear(*events.heard.get(timeout=max(0.01, min(acts_at, until) - time.monotonic())))
            except queue.Empty:
                pass

    def open_orders():
        return [n for n, o in strategy.orders.items() if o["state"] not in FINAL]

    def end():
        strategy.settle()
        names = open_orders()
        strategy.refresh(names)
        for name in names:
            if name in open_orders():
                strategy.cancel(name)

    try:
        listen(time.monotonic() + options.seconds, strategy.decide)
    except KeyboardInterrupt:
        say("told to stop")
    say("time is over: cancelling what is open")
    listen(time.monotonic() + END_SECONDS, end, lambda: not open_orders() and not strategy.unsure)
    left = open_orders() + list(strategy.unsure)
    states = [order["state"] for order in strategy.orders.values()]
    summary = ", ".join(f"{states.count(state)} {state}" for state in sorted(set(states))) or "none"
    say(f"orders: {summary}; fills: {len(strategy.fills)}; holding {strategy.held}; left over: {left or 'nothing'}")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
