"""The chapters of an edition: each module builds its sections with a `ChapterBuilder`."""
