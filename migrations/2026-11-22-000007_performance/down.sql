DROP TABLE performance_state;
DROP TABLE equity_points;
