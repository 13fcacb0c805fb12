-- What an order's side would have paid or got when it was decided on: the yardstick of its fills. Orders of before have none.
ALTER TABLE orders ADD COLUMN decision_price TEXT;
