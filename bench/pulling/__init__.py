"""The parts of the pull benchmark: feeds to read, their server, those who read them, and the measuring."""
