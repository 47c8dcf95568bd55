"""Lumbung ("granary"): a data warehouse for election-supervision records."""
