"""What several kinds of connectors share."""
