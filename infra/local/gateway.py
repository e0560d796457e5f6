"""Starts the payment stand-in (localstripe) on the loopback port given as the argument."""

import logging
import sys

import lifetime
from aiohttp import web
from localstripe import resources, server

lifetime.settle()

# One line for each request, without its body.
logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")

# It would save itself to one fixed file after every change, which two stacks would share.
resources.Store.dump_to_disk = lambda self: None

# Its own entry point listens on every interface. A stand-in that takes a well-known key must not.
web.run_app(server.app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
