"""The fault campaign: load, strikes, oracle and figures of a fault, and the report of them all."""
