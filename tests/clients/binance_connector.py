"""binance-connector trades on the paper exchange; it sends POST parameters in the query."""

from binance.error import ClientError
from binance.spot import Spot

from local import KEY, SECRET, Venue, binary, check


def main():
    with Venue(binary(), "--hold") as venue:
        client = Spot(api_key=KEY, api_secret=SECRET, base_url=venue.http)
        check(client.time()["serverTime"] > 0, "time")
        check(client.exchange_info(symbol="BTCUSDT")["symbols"][0]["symbol"] == "BTCUSDT", "exchange info")
        check(client.account()["accountType"] == "SPOT", "account")
        order = client.new_order(
            symbol="BTCUSDT", side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.01", price="50000"
        )
        check(order["status"] == "NEW", "place")
        check(len(client.get_open_orders("BTCUSDT")) == 1, "open orders")
        check(client.get_order("BTCUSDT", orderId=order["orderId"])["status"] == "NEW", "query")
        check(client.cancel_order("BTCUSDT", orderId=order["orderId"])["status"] == "CANCELED", "cancel")
        filled = client.new_order(symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01")
        check(filled["status"] == "FILLED" and filled["fills"], "a market order fills")
        check(client.my_trades("BTCUSDT")[-1]["orderId"] == filled["orderId"], "my trades")
        try:
            client.cancel_order("BTCUSDT", orderId=999999)
        except ClientError as error:
            check((error.status_code, error.error_code) == (400, -2011), "errors carry status and code")
        else:
            raise AssertionError("cancel of nothing was accepted")


if __name__ == "__main__":
    main()
