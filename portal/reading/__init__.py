"""Bytes in, typed findings out: no database, no Flask, no network."""
