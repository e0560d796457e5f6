"""Starts the local cloud (ministack). Its settings come through the environment."""

import json
import socketserver
import threading

import lifetime

lifetime.settle()

# ministack serves the Lambda runtime API from here and writes headers and body apart. With
# Nagle's algorithm on, each invocation would wait 42 ms for a delayed acknowledgement.
socketserver.StreamRequestHandler.disable_nagle_algorithm = True

from ministack.app import main  # noqa: E402  (the setting above has to come first)
from ministack.core import iam_actions  # noqa: E402
from ministack.services import dynamodb, stepfunctions  # noqa: E402

resource_of_mail = iam_actions._ses_v2_resource_arn


def resource_of_outbound_mail(method, path, body, region, account_id):
    """The sender's identity, about which AWS asks IAM when mail is sent; ministack asks about `*`."""
    if path.rstrip("/").endswith("/outbound-emails"):
        sender = json.loads(body or b"{}").get("FromEmailAddress")
        return f"arn:aws:ses:{region}:{account_id}:identity/{sender}"
    return resource_of_mail(method, path, body, region, account_id)


iam_actions._ses_v2_resource_arn = resource_of_outbound_mail

action_of = iam_actions.extract_iam_action
resource_of = iam_actions.extract_resource_arn
add_event = stepfunctions._add_event
execute_task = stepfunctions._execute_task
invoke_with_timeout = stepfunctions._invoke_resource_with_timeout
invoke_with_callback = stepfunctions._invoke_with_callback
call_lambda = stepfunctions._call_lambda

# The state machines of the task tokens that were given out, and what the thread of an execution is at.
machines = {}
current = threading.local()


def task_token(service, body):
    return iam_actions._safe_json_field(body, "taskToken") if service == "states" else ""


def execute_task_of_a_machine(state_def, raw_input, execution, ctx):
    current.machine = ctx.get("StateMachine", {}).get("Id")
    return execute_task(state_def, raw_input, execution, ctx)


def add_event_and_keep_it(execution, event_type, details=None):
    event = add_event(execution, event_type, details)
    if event_type == "TaskScheduled":
        current.scheduled = event["taskScheduledEventDetails"]
    return event


def invoke_as_told(resource, input_data, timeout):
    """AWS's history of an execution says what each task was given, and tests ask for it; ministack's doesn't."""
    current.scheduled["parameters"] = json.dumps(input_data)
    return invoke_with_timeout(resource, input_data, timeout)


def invoke_with_known_token(resource, input_data, token, state_def):
    current.scheduled["parameters"] = json.dumps(input_data)
    machines[token] = current.machine
    current.token = token
    try:
        return invoke_with_callback(resource, input_data, token, state_def)
    finally:
        current.token = None


def call_lambda_that_may_fail(func_ref, event):
    """Fails the task whose function fails, as AWS does; ministack would wait for the token all the same."""
    try:
        return call_lambda(func_ref, event)
    except stepfunctions._ExecutionError as error:
        if token := getattr(current, "token", None):
            failure = {"taskToken": token, "error": error.error, "cause": error.cause}
            stepfunctions._send_task_failure(failure)
        raise


def action_as_iam_knows_it(service, method, path, headers, body, query_params):
    """None for a token that was never given out: AWS finds it invalid, whoever shows it. SQS asks IAM about each message
    of a batch, and knows no action for the batch; ministack asks about `sqs:SendMessageBatch` and the like."""
    token = task_token(service, body)
    if token and token not in machines:
        return None
    action = action_of(service, method, path, headers, body, query_params)
    return action.removesuffix("Batch") if action and action.startswith("sqs:") else action


def resource_with_a_token(service, method, path, headers, body, query_params, region, account_id):
    """The token's state machine, about which AWS asks IAM when it is given back; ministack asks about `*`."""
    token = task_token(service, body)
    return machines.get(token) or resource_of(
        service, method, path, headers, body, query_params, region, account_id
    )


def telling_what_it_takes(write):
    """Every write's answer says what it takes, whether that was asked for or not: tests add it up."""
    return lambda data: write({**data, "ReturnConsumedCapacity": "INDEXES"})


for name in ("_put_item", "_update_item", "_delete_item", "_batch_write_item", "_transact_write_items"):
    setattr(dynamodb, name, telling_what_it_takes(getattr(dynamodb, name)))
stepfunctions._add_event = add_event_and_keep_it
stepfunctions._execute_task = execute_task_of_a_machine
stepfunctions._invoke_resource_with_timeout = invoke_as_told
stepfunctions._invoke_with_callback = invoke_with_known_token
stepfunctions._call_lambda = call_lambda_that_may_fail
iam_actions.extract_iam_action = action_as_iam_knows_it
iam_actions.extract_resource_arn = resource_with_a_token

main()
