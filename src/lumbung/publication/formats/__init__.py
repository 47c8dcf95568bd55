"""One module for each file format of an edition, and the boundaries of its map."""
