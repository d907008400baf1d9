"""What two services or more need; each file is named for what it is."""
