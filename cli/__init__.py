"""The command `tidemark`: one file per subcommand, argument parsing and printing only."""
