"""The kind `form_a`: Formulir Model A."""
