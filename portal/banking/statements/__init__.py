"""Bank statement files: bytes in, typed values out. No database, no clock, no network."""
