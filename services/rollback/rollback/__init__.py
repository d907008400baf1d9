"""When an alert becomes a rollback, and what is checked before and after."""
