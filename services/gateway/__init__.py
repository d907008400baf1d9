"""The gateway: the way in for calls and feedback, and the way out for deployments."""
