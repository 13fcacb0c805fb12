ALTER TABLE orders DROP COLUMN decision_price;
