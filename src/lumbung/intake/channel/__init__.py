"""What a channel file says: its models, reading, checks, and what dbt gets of it."""
