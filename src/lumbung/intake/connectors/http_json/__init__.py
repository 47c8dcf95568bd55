"""The kind `http_json`: any JSON API that lists records."""
