"""Parsers of foreign binary files, run in a child process with limits (`__main__`).

Modules here import nothing else of Lumbung, so that a child starts in 40 ms. Everybody else reads
such files through `lumbung.intake.connectors.shared.bounded`.
"""
