"""Documents of people and administrators: uploaded, indexed, looked at, repaired, deleted."""
