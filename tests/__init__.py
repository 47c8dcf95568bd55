"""Tests, in folders as in `src/lumbung`."""
