"""Tests of lumbung.publication.proof."""
