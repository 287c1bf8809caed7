"""One wire protocol a file: bytes of a client in, frames out."""
