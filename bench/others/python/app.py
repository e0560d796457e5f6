"""Places an order with one conditional PutItem: what the function place-order does, without its checks."""

import json
import uuid
from datetime import datetime, timezone

import boto3
from botocore.exceptions import ClientError

NAMESPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
table = boto3.client("dynamodb")


def handler(event, _context):
    user = event["requestContext"]["authorizer"]["lambda"]["user_id"]
    key = event["headers"]["idempotency-key"]
    request = json.loads(event["body"])
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    order = str(uuid.uuid5(NAMESPACE, f"{user}/{key}"))
    lines = [{"sku": line["sku"], "quantity": line["quantity"]} for line in request["lines"]]
    item = {
        "pk": {"S": f"ORDER#{order}"},
        "id": {"S": order},
        "customer_id": {"S": user},
        "status": {"S": "PENDING"},
        "payment_method": {"S": request["payment_method"]},
        "lines": {"L": [{"M": {"sku": {"S": line["sku"]}, "quantity": {"N": str(line["quantity"])}}} for line in lines]},
        "created_at": {"S": now},
    }
    try:
        table.put_item(
            TableName="bench-orders",
            Item=item,
            ConditionExpression="attribute_not_exists(pk)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
    print(json.dumps({"level": "INFO", "message": "answered", "order_id": order}))
    answer = {"id": order, "status": "PENDING", "lines": lines, "created_at": now}
    headers = {"content-type": "application/json", "location": f"/orders/{order}"}
    return {"statusCode": 202, "headers": headers, "body": json.dumps(answer)}
