"""The kind `register`: spreadsheets and CSV files in a folder."""
