"""The life of an edition: frozen, reviewed as a draft, approved or rejected, published."""
