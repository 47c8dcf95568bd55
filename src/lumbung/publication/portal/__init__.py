"""The public portal: its pages, and how a new site replaces the former one."""
