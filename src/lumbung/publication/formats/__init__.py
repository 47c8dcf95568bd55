"""One module for each file format of an edition, and its charts and maps."""
