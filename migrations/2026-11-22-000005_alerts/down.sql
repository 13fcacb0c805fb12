DROP TABLE alert_channels;
DROP TABLE alert_silences;
DROP TABLE alert_deliveries;
DROP TABLE alerts;
