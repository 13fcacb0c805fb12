"""ccxt.pro (WebSocket) watches trades, the book and its own orders on the paper exchange."""

import asyncio

import ccxt.pro

from local import Venue, binary, ccxt_exchange, check

SYMBOL = "BTC/USDT"
PATIENCE = 30


async def soon(awaitable):
    return await asyncio.wait_for(awaitable, PATIENCE)


async def watch(venue):
    exchange = ccxt_exchange(ccxt.pro, venue)
    try:
        await exchange.load_markets()
        first = await soon(exchange.watch_trades(SYMBOL))
        check(first[-1]["symbol"] == SYMBOL and first[-1]["price"] > 0, "watch_trades: a trade")
        later = await soon(exchange.watch_trades(SYMBOL))
        check(int(later[-1]["id"]) > int(first[0]["id"]) - 1, "watch_trades: ids rise")
        book = await soon(exchange.watch_order_book(SYMBOL))
        check(book["bids"][0][0] < book["asks"][0][0], "watch_order_book: a sound book")
        for _ in range(5):
            book = await soon(exchange.watch_order_book(SYMBOL))
        check(book["bids"][0][0] < book["asks"][0][0], "watch_order_book: updates follow without a gap")

        watching = asyncio.create_task(soon(exchange.watch_orders(SYMBOL)))
        placed = None
        # The subscription is open when the exchange lists it.
        while not placed:
            sessions = await exchange.fetch(f"{venue.http}/paper/v1/sessions")
            if any(session["accounts"] for session in sessions["items"]):
                placed = await exchange.create_order(SYMBOL, "limit", "buy", 0.01, 50_000)
        orders = await watching
        check(orders[-1]["id"] == placed["id"] and orders[-1]["status"] == "open", "watch_orders: placed")
        watching = asyncio.create_task(soon(exchange.watch_orders(SYMBOL)))
        await asyncio.sleep(0)
        await exchange.cancel_order(placed["id"], SYMBOL)
        orders = await watching
        check(orders[-1]["id"] == placed["id"] and orders[-1]["status"] == "canceled", "watch_orders: cancelled")
        watching = asyncio.create_task(soon(exchange.watch_my_trades(SYMBOL)))
        await asyncio.sleep(0)
        bought = await exchange.create_order(SYMBOL, "market", "buy", 0.01)
        trades = await watching
        check(trades[-1]["order"] == bought["id"], "watch_my_trades: our fill")
    finally:
        await exchange.close()


def main():
    with Venue(binary(), "--speed", "5") as venue:
        asyncio.run(watch(venue))


if __name__ == "__main__":
    main()
