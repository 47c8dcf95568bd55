"""The chapters of an edition: each module writes its sections from a `ChapterBuilder`."""
