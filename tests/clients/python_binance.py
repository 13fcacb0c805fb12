"""python-binance trades on the paper exchange; it sends POST parameters in the body."""

import asyncio

from binance import AsyncClient, BinanceSocketManager
from binance.client import Client
from binance.exceptions import BinanceAPIException

from local import KEY, SECRET, Venue, binary, check

PATIENCE = 30


def trade(venue):
    Client.API_URL = f"{venue.http}/api"
    client = Client(KEY, SECRET, ping=False)
    client.API_URL = f"{venue.http}/api"
    check(client.get_symbol_info("BTCUSDT")["baseAsset"] == "BTC", "symbol info")
    check(client.get_account()["canTrade"], "account")
    order = client.order_limit_buy(symbol="BTCUSDT", quantity="0.01", price="50000")
    check(order["status"] == "NEW", "place")
    check(len(client.get_open_orders(symbol="BTCUSDT")) == 1, "open orders")
    check(client.cancel_order(symbol="BTCUSDT", orderId=order["orderId"])["status"] == "CANCELED", "cancel")
    filled = client.order_market_buy(symbol="BTCUSDT", quantity="0.01")
    check(filled["status"] == "FILLED", "a market order fills")
    check(client.get_my_trades(symbol="BTCUSDT")[-1]["orderId"] == filled["orderId"], "my trades")
    try:
        client.order_limit_buy(symbol="BTCUSDT", quantity="90", price="60000")
    except BinanceAPIException as error:
        check(error.code == -2010, "errors carry their code")
    else:
        raise AssertionError("an order without funds was accepted")


async def listen(venue):
    client = AsyncClient(KEY, SECRET)
    try:
        manager = BinanceSocketManager(client)
        manager.STREAM_URL = f"{venue.ws}/"
        async with manager.trade_socket("BTCUSDT") as stream:
            message = await asyncio.wait_for(stream.recv(), PATIENCE)
            check(message["e"] == "trade" and message["s"] == "BTCUSDT", "a trade arrives")
    finally:
        await client.close_connection()


def main():
    with Venue(binary(), "--speed", "5") as venue:
        trade(venue)
        asyncio.run(listen(venue))


if __name__ == "__main__":
    main()
