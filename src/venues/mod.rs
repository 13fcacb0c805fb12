//! Connectors to venues: one folder per venue, the same file names in each.
