"""What builds, checks and starts the project; not part of the installed package."""
