"""From what was landed to what readers see: the raw checkpoint and the build."""
