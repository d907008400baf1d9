"""What the tests of several services use."""
