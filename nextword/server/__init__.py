"""The HTTP server: suggestions as people type, an API for programs, the completions protocol.

The only part of the program that opens a socket, and that only to listen.
"""
