"""PostgreSQL, Airflow and the portal as processes on one machine."""
