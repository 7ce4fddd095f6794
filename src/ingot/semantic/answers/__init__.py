"""Question -> answer: the service that surfaces ask, what it keeps, and Cube's formats."""
