"""The kind `kobo`: KoboToolbox."""
