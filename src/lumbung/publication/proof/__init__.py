"""Prove a published edition from its files alone: hashes, signature, chain.

The formats are in `docs/reference/edition-proof.md`. Nothing here needs a database.
"""
