"""Starts the local cloud (ministack). Its settings come through the environment."""

import json
import socketserver

import lifetime

lifetime.settle()

# ministack serves the Lambda runtime API from here and writes headers and body apart. With
# Nagle's algorithm on, each invocation would wait 42 ms for a delayed acknowledgement.
socketserver.StreamRequestHandler.disable_nagle_algorithm = True

from ministack.app import main  # noqa: E402  (the setting above has to come first)
from ministack.core import iam_actions  # noqa: E402

resource_of_mail = iam_actions._ses_v2_resource_arn


def resource_of_outbound_mail(method, path, body, region, account_id):
    """The sender's identity, about which AWS asks IAM when mail is sent; ministack asks about `*`."""
    if path.rstrip("/").endswith("/outbound-emails"):
        sender = json.loads(body or b"{}").get("FromEmailAddress")
        return f"arn:aws:ses:{region}:{account_id}:identity/{sender}"
    return resource_of_mail(method, path, body, region, account_id)


iam_actions._ses_v2_resource_arn = resource_of_outbound_mail

main()
