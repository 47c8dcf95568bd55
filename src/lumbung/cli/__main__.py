"""`python -m lumbung.cli`: the command `lumbung` where its script is not installed."""

from lumbung.cli import main

main()
