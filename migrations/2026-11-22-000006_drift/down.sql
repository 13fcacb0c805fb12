DROP TABLE drift_streams;
