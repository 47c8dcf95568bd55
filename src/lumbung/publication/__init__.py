"""The weekly edition: frozen, checked, rendered, approved, published."""
