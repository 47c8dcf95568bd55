"""Parsers of binary files, which run in a child process with limits (`__main__`).

These modules import no other package of Lumbung, so a child process starts in 40 ms. Connectors use
them only through `lumbung.intake.connectors.shared.parser_process`.
"""
