"""Intake: every channel, landed exactly once, nothing lost, onboarded by YAML."""
