"""Starts the payment stand-in (localstripe) on the loopback port given as the argument."""

import collections
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

# For each list, and for the refunds of every charge that it shows, it looks through all that it holds: with the orders of
# a whole test run in its books, a list of them took a quarter of a minute, in which it answered nobody. So what it holds
# is kept by kind, too, and a list looks through its own kind alone.
everything = resources.store
by_kind = collections.defaultdict(dict)
listed = resources.StripeObject._api_list_all.__func__


def keep(self, key, value):
    dict.__setitem__(self, key, value)
    by_kind[key.partition(":")[0]][key] = value


def forget(self, key):
    dict.__delitem__(self, key)
    del by_kind[key.partition(":")[0]][key]


def listed_by_kind(cls, *arguments, **options):
    resources.store = by_kind[cls.object]
    try:
        return listed(cls, *arguments, **options)
    finally:
        resources.store = everything


resources.Store.__setitem__ = keep
resources.Store.__delitem__ = forget
resources.StripeObject._api_list_all = classmethod(listed_by_kind)

# Its own entry point listens on every interface. A stand-in that takes a well-known key must not.
web.run_app(server.app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
