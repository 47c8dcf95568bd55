"""The kind `sigaplapor`: SigapLapor's public lists."""
