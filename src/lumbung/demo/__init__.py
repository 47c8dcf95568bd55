"""An invented office: its world, the files it would write, and what must become of them."""
