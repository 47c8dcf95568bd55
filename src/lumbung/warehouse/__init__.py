"""From what was landed to what readers see: the raw checkpoint, the build, the checks of the checkpoints."""
