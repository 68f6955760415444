"""Running the service: jobs, health, metrics, logs, audit, use."""
