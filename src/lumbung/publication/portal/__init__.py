"""The public portal: its pages and how they replace the pages before."""
