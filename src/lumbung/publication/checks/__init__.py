"""Checks that an edition must pass before it is published."""
