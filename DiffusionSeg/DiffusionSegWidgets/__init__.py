"""The parts of the module's panel, one section or one job a file."""
