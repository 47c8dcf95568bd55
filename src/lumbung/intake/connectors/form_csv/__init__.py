"""The kind `form_csv`: the responses of a form of Google Forms, as CSV."""
