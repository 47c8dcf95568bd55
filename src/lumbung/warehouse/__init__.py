"""From what was landed to what readers see: the raw door, the build, the checks of the doors."""
