"""The web pages and the REST API: they read the store and post commands."""
