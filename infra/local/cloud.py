"""Starts the local cloud (ministack). Its settings come through the environment."""

import socketserver

import lifetime

lifetime.settle()

# ministack serves the Lambda runtime API from here and writes headers and body apart. With
# Nagle's algorithm on, each invocation would wait 42 ms for a delayed acknowledgement.
socketserver.StreamRequestHandler.disable_nagle_algorithm = True

from ministack.app import main  # noqa: E402  (the setting above has to come first)

main()
