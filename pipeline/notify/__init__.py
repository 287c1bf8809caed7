"""One channel a file: a notification as plain data in, a message out."""
