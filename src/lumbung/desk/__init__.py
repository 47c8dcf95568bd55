"""The desk: pages on Airflow's API server, at `/lumbung/`, where the office reads and decides.

`app` assembles the FastAPI application, `pages` renders its templates, and each further module
holds the routes of one subject. What a page does is done by the functions that the command line
calls.
"""
