"""ccxt (REST) trades on the paper exchange, unmodified but for its addresses."""

import ccxt

from local import OTHER_KEY, OTHER_SECRET, Venue, binary, ccxt_exchange, check

SYMBOL = "BTC/USDT"


def raises(kind, action, what):
    try:
        action()
    except kind as error:
        check(type(error) is kind, f"{what}: {kind.__name__}")
        return
    raise AssertionError(f"{what}: nothing was raised")


def main():
    # A held market stands still, so that every outcome is exact.
    with Venue(binary(), "--hold") as venue:
        exchange = ccxt_exchange(ccxt, venue)
        other = ccxt_exchange(ccxt, venue, OTHER_KEY, OTHER_SECRET)
        markets = exchange.load_markets()
        market = markets[SYMBOL]
        check(market["spot"] and market["active"], "markets: BTC/USDT is listed and active")
        check(market["precision"]["price"] == 0.01, "markets: tick size")
        check(market["limits"]["cost"]["min"] == 5, "markets: smallest notional")

        balance = exchange.fetch_balance()
        check(balance["USDT"]["free"] == 1_000_000, "balance")
        book = exchange.fetch_order_book(SYMBOL, 5)
        bid, ask = book["bids"][0][0], book["asks"][0][0]
        check(bid < ask and len(book["bids"]) == 5, "order book")
        check(exchange.fetch_time() > 0, "time")

        resting = exchange.create_order(SYMBOL, "limit", "buy", 0.01, 50_000)
        check(resting["status"] == "open" and resting["remaining"] == 0.01, "place: a resting limit order")
        opened = exchange.fetch_open_orders(SYMBOL)
        check([order["id"] for order in opened] == [resting["id"]], "open orders")
        check(exchange.fetch_order(resting["id"], SYMBOL)["price"] == 50_000, "order by id")
        cancelled = exchange.cancel_order(resting["id"], SYMBOL)
        check(cancelled["status"] == "canceled", "cancel")
        check(exchange.fetch_open_orders(SYMBOL) == [], "no open order is left")

        taken = exchange.create_order(SYMBOL, "market", "buy", 0.01)
        check(taken["status"] == "closed" and taken["filled"] == 0.01, "a market order fills")
        check(abs(taken["average"] - ask) < 1, "its average price is the market's")

        # Partial fill: our order improves the best ask, the other account takes half of it.
        price = round(ask - 0.01, 2)
        check(price > bid, "there is room inside the spread")
        maker = exchange.create_order(SYMBOL, "limit", "sell", 0.02, price)
        check(maker["status"] == "open", "the improving order rests")
        taker = other.create_order(SYMBOL, "limit", "buy", 0.01, price, {"timeInForce": "IOC"})
        check(taker["filled"] == 0.01, "the other account takes half")
        partly = exchange.fetch_order(maker["id"], SYMBOL)
        check(partly["status"] == "open" and partly["filled"] == 0.01, "partial fill")
        trades = exchange.fetch_my_trades(SYMBOL)
        check([trade["takerOrMaker"] for trade in trades][-1] == "maker", "my trades: the maker's fill")
        check(trades[-1]["order"] == maker["id"] and trades[-1]["price"] == price, "my trades: order and price")
        check(trades[-1]["fee"]["currency"] == "USDT", "my trades: the seller pays in quote")
        check(len(exchange.fetch_orders(SYMBOL)) == 3, "all orders")
        edited = exchange.edit_order(maker["id"], SYMBOL, "limit", "sell", 0.01, 70_000)
        check(edited["price"] == 70_000 and edited["status"] == "open", "cancel-replace")
        check(len(exchange.cancel_all_orders(SYMBOL)) == 1, "cancel all")

        public = exchange.fetch_trades(SYMBOL)
        check(len(public) >= 2, "public trades")
        check(len(exchange.fetch_ohlcv(SYMBOL, "1m")) >= 1, "klines")
        check(exchange.fetch_bids_asks([SYMBOL])[SYMBOL]["bid"] == bid, "book ticker")

        ticker = exchange.fetch_ticker(SYMBOL)
        check(ticker["last"] > 0 and ticker["high"] >= ticker["low"], "24 hour ticker")

        stop = exchange.create_order(SYMBOL, "STOP_LOSS_LIMIT", "sell", 0.01, 49_000, {"stopPrice": 50_000})
        check(stop["status"] == "open", "a stop order waits")
        exchange.cancel_order(stop["id"], SYMBOL)

        place = exchange.create_order
        raises(ccxt.OrderNotFound, lambda: exchange.cancel_order("999999", SYMBOL), "cancel of nothing")
        raises(ccxt.OrderNotFound, lambda: exchange.fetch_order("999999", SYMBOL), "query of nothing")
        raises(ccxt.InsufficientFunds, lambda: place(SYMBOL, "limit", "buy", 90, 60_000), "too dear")
        raises(ccxt.BadRequest, lambda: place(SYMBOL, "limit", "buy", 0.0001, 20_000), "too small (NOTIONAL)")
        raises(ccxt.InvalidOrder, lambda: place(SYMBOL, "limit", "buy", 9_500, 20_000), "too large (LOT_SIZE)")
        raises(
            ccxt.OrderImmediatelyFillable,
            lambda: place(SYMBOL, "limit", "buy", 0.01, 62_000, {"postOnly": True}),
            "a maker order that would take",
        )
        exchange.create_order(SYMBOL, "limit", "buy", 0.01, 50_000, {"clientOrderId": "twice"})
        raises(
            ccxt.InvalidOrder,
            lambda: place(SYMBOL, "limit", "buy", 0.01, 50_000, {"clientOrderId": "twice"}),
            "a client order id in use",
        )
        stranger = ccxt_exchange(ccxt, venue, "demo", "wrong-secret")
        raises(ccxt.AuthenticationError, stranger.fetch_balance, "a wrong signature")
        nobody = ccxt_exchange(ccxt, venue, "nobody", "nothing")
        raises(ccxt.AuthenticationError, nobody.fetch_balance, "an unknown key")


if __name__ == "__main__":
    main()
