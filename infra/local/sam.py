"""SAM CLI for the local cloud, where a package travels no further than this machine."""

import zlib

# Packages are stored as they are: compressing two dozen functions takes longer than deploying them.
zlib.Z_DEFAULT_COMPRESSION = zlib.Z_NO_COMPRESSION

from samcli.cli.main import cli  # noqa: E402  (the setting above has to come first)

cli(prog_name="sam")
