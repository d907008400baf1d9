"""The registry: the only owner of versions, deployments, leases, baselines and keys."""
