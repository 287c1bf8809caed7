"""One command of the command line a file: `command` is a click command."""
