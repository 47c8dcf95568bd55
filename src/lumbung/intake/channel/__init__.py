"""What a channel file says: its models, reading, checks, and what dbt is told of it."""
