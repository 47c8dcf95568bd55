"""The parts that Lumbung runs on, on one machine: PostgreSQL, Airflow, their processes."""
