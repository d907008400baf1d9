"""When windows make an alert: rules, evaluation, life cycle, wording."""
