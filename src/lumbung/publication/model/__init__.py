"""What an edition holds, and the document that chapters build from it."""
