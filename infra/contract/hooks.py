"""What Schemathesis has to know of this API besides its document: who calls, what no schema can say, more checks.

Its settings are in schemathesis.toml beside this file. `CONTRACT_ROLE`, customer or admin, is who calls; what else
comes through the environment are settings of the stack.
"""

import hashlib
import hmac
import itertools
import os
import re
import threading
import time
import unicodedata
import uuid
from collections import Counter, defaultdict
from pathlib import Path

import requests
import schemathesis
from jsonschema_rs import Draft202012Validator
from schemathesis.core.failures import Failure
from schemathesis.generation.meta import REQUEST_SHAPE_PROBES, coverage_scenario

API = os.environ["API_URL"]
DOCUMENT = Path(__file__).parent.parent / "openapi.yaml"
ROLE = os.environ["CONTRACT_ROLE"]
ADMIN = {"email": os.environ["ADMIN_EMAIL"], "password": os.environ["ADMIN_PASSWORD"]}
WEBHOOK_SECRET = os.environ["PAYMENT_WEBHOOK_SECRET"].encode()

# What an answer has because it is HTTP, or because it comes through the gateway.
TRANSPORT = {"apigw-requestid", "connection", "content-length", "content-type", "date", "keep-alive"}

# What the document names once, in words, for all answers.
EVERYWHERE = {"x-content-type-options"}

# What a customer may not do at all; the document says so in words and with 403.
ADMINS_ONLY = {
    "put-product",
    "adjust-stock",
    "request-refund",
    "examine-order",
    "resume-order",
    "list-queues",
    "list-dead-letters",
    "redrive-dead-letters",
    "audit-books",
    "search-orders",
}

# To look into a queue takes a second or more, so few requests name one that there is.
QUEUES = ["events-parked", "notifications-dlq", "placed-orders-dlq", "refunds-dlq", "saga-parked"]

# What Unicode calls White_Space.
WHITE_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))

lock = threading.RLock()


# Every operation of the document, called or not.
OPERATIONS = sorted(re.findall(r"^      operationId: (\S+)$", DOCUMENT.read_text(), re.MULTILINE))


def name_of(case):
    return case.operation.definition.raw["operationId"]


def is_positive(case):
    return case.meta is not None and case.meta.generation.mode.is_positive


# Who calls.


def say(method, path, status, token=None, **request):
    """One request that has to go well, or there is nothing to test with."""
    headers = request.pop("headers", {})
    if token:
        headers["Authorization"] = f"Bearer {token}"
    response = requests.request(method, API + path, headers=headers, timeout=30, **request)
    if response.status_code != status:
        raise RuntimeError(f"{method} {path} answered {response.status_code}: {response.text}")
    return response.json()


class Account:
    """A user, and a session of theirs. The access token is good for 15 minutes: for longer than a run."""

    def __init__(self, email, password):
        self.password = password
        session = say("POST", "/auth/login", 200, json={"email": email, "password": password})
        self.token = session["access_token"]
        shop.refresh_tokens.append(session["refresh_token"])

    @classmethod
    def fresh(cls):
        user = {"email": unused_address(), "password": uuid.uuid4().hex}
        say("POST", "/users", 201, json={**user, "name": "Contract"})
        return cls(**user)


def unused_address():
    return f"contract-{uuid.uuid4().hex}@oxcart.test"


class People:
    """The accounts of a run, made when they are needed first."""

    def __init__(self):
        self.accounts = {}

    def get(self, name, make):
        with lock:
            if name not in self.accounts:
                self.accounts[name] = make()
            return self.accounts[name]

    def admin(self):
        return self.get("admin", lambda: Account(**ADMIN))

    def stranger(self):
        return self.get("stranger", Account.fresh)

    def caller(self):
        return self.admin() if ROLE == "admin" else self.get("customer", Account.fresh)

    def caller_of(self, case):
        if not case.operation.path.startswith("/users/me"):
            return self.caller()
        # What these operations do to an account must reach neither the caller of all others nor each other.
        return self.get(name_of(case), Account.fresh)

    def forget_caller_of(self, case):
        with lock:
            self.accounts.pop(name_of(case), None)


@schemathesis.auth(refresh_interval=None)
class Bearer:
    def get(self, case, context):
        is_public = case.operation.definition.raw.get("security") == []
        return None if is_public else people.caller_of(case).token

    def set(self, case, token, context):
        case.headers["Authorization"] = f"Bearer {token}"


# What is sent. Random requests seldom get past "no such thing" and "not the password", so every other of those that
# follow the document is given something that exists.


class Shop:
    """What there is to work with: a product, an order that is paid and stays so, and the sessions of this run."""

    def __init__(self):
        self.refresh_tokens = []
        self.paid = None
        self.sku = None
        self.assets = itertools.cycle(re.findall(r'"\./docs/([^"]+)"', requests.get(API + "/docs", timeout=30).text))

    def refresh_token(self):
        with lock:
            if not self.refresh_tokens:
                Account.fresh()
            return self.refresh_tokens.pop()

    def product(self):
        """One of this run alone, as far as another doesn't come across it."""
        with lock:
            if self.sku is None:
                sku, token = f"contract-{uuid.uuid4().hex[:12]}", people.admin().token
                product = {"name": "Blue mug", "unit_price": {"amount": 1250, "currency": "EUR"}}
                say("PUT", f"/products/{sku}", 201, token, json=product)
                path, key = f"/products/{sku}/stock-adjustments", {"Idempotency-Key": uuid.uuid4().hex}
                say("POST", path, 200, token, headers=key, json={"delta": 100_000, "reason": "contract tests"})
                self.sku = sku
            return self.sku

    def paid_order(self):
        """Somebody else's, so that the caller can't cancel it."""
        with lock:
            if self.paid is None:
                self.paid = self.sell(people.stranger().token)
            return self.paid

    def sell(self, token):
        order = {"lines": [{"sku": self.product(), "quantity": 100}], "payment_method": "pm_card_visa"}
        placed = say("POST", "/orders", 202, token, headers={"Idempotency-Key": uuid.uuid4().hex}, json=order)
        deadline = time.monotonic() + 30
        while (status := say("GET", f"/orders/{placed['id']}", 200, token)["status"]) == "PENDING":
            if time.monotonic() > deadline:
                raise RuntimeError(f"The order {placed['id']} stays {status}.")
            time.sleep(0.2)
        if status != "CONFIRMED":
            raise RuntimeError(f"The order {placed['id']} became {status}.")
        return placed["id"]


people, shop = People(), Shop()
turns = defaultdict(itertools.count)


def sign(request):
    """Signs a webhook as the payment gateway does."""
    body = request.body or b""
    body = body.encode() if isinstance(body, str) else body
    at = int(time.time())
    mac = hmac.new(WEBHOOK_SECRET, f"{at}.".encode() + body, hashlib.sha256)
    request.headers["Stripe-Signature"] = f"t={at},v1={mac.hexdigest()}"
    return request


@schemathesis.hook
def before_call(context, case, kwargs):
    if not is_positive(case) or coverage_scenario(case) in REQUEST_SHAPE_PROBES:
        return
    operation = name_of(case)
    if operation == "receive-webhook":
        # No schema can describe a signature.
        kwargs["auth"] = sign
        return
    if case.meta.phase.name.value == "stateful":
        # There the steps before supply what exists.
        return
    with lock:
        turn = next(turns[operation])
        if turn % (20 if operation in ("list-dead-letters", "redrive-dead-letters") else 2):
            return
    if operation == "change-password":
        case.body["current_password"] = people.caller_of(case).password
    elif operation in ("refresh-session", "logout"):
        case.body["refresh_token"] = shop.refresh_token()
    elif operation == "login":
        case.body.update(ADMIN)
    elif operation == "register-user":
        case.body["email"] = unused_address()
    elif operation == "place-order":
        case.body["lines"] = [{"sku": shop.product(), "quantity": 1}]
        case.body["payment_method"] = "pm_card_visa"
        case.body.pop("expected_total", None)
    elif operation == "read-docs-asset":
        case.path_parameters["asset"] = next(shop.assets)
    elif operation in ("examine-order", "resume-order"):
        case.path_parameters["id"] = shop.paid_order()
    elif operation in ("list-dead-letters", "redrive-dead-letters"):
        case.path_parameters["queue"] = QUEUES[turn // 20 % len(QUEUES)]
    elif operation == "request-refund":
        case.path_parameters["id"] = shop.paid_order()
        case.body["amount"] = {"amount": 1, "currency": "EUR"}


seen = defaultdict(Counter)


@schemathesis.hook
def after_call(context, case, response):
    operation = name_of(case)
    with lock:
        if coverage_scenario(case) not in REQUEST_SHAPE_PROBES:
            seen[operation][response.status_code] += 1
        if operation in ("login", "refresh-session") and response.status_code == 200:
            shop.refresh_tokens.append(response.json()["refresh_token"])
    if operation == "change-password" and response.status_code in (204, 429):
        people.forget_caller_of(case)
    # An erased account can be erased again, which is the quicker of the two to test.
    if operation == "erase-user" and seen[operation][204] % 10 == 0:
        people.forget_caller_of(case)


# What no schema can say. Each of these is looked at closely, so that nothing else passes with it.


def problem_of(response):
    is_problem = response.headers.get("content-type", [""])[0] == "application/problem+json"
    return response.json() if is_problem else {}


def length_of_password(body):
    """It is counted after normalisation, in which one character can become several and several one."""
    password = (body or {}).get("password", (body or {}).get("new_password"))
    return len(unicodedata.normalize("NFKC", password)) if isinstance(password, str) else None


def as_it_is_read(value):
    """White space around a text is dropped before anything else is asked of it, and a password is normalised."""
    if isinstance(value, dict):
        return {
            name: unicodedata.normalize("NFKC", item)
            if name in ("password", "new_password") and isinstance(item, str) and len(item) >= 12
            else as_it_is_read(item)
            for name, item in value.items()
        }
    return value.strip(WHITE_SPACE) if isinstance(value, str) else value


def is_valid_as_it_is_read(case):
    root, raw = case.operation.schema.raw_schema, case.operation.definition.raw
    if name_of(case) == "list-products":
        parameter = root["components"]["parameters"]["NamePrefix"]
        schema, value = parameter["schema"], (case.query or {}).get(parameter["name"])
    elif "requestBody" in raw and isinstance(case.body, dict):
        schema = resolved(root, raw["requestBody"])["content"]["application/json"]["schema"]
        value = case.body
    else:
        return False
    validator = Draft202012Validator({"components": root["components"], "allOf": [schema]})
    return not validator.is_valid(value) and validator.is_valid(as_it_is_read(value))


def depends_on_more_than_the_schema(case, response):
    """Why a request that follows the document may be refused all the same."""
    problem = problem_of(response)
    kind = problem.get("type", "").removeprefix("/problems/")
    error = next(iter(problem.get("errors", [])), {})
    body = case.body if isinstance(case.body, dict) else {}
    if kind in (
        # A cursor is good if it was handed out, a key unless it was used for something else, and the password is
        # whatever the user chose.
        "invalid-cursor",
        "idempotency-key-reused",
        "wrong-password",
    ):
        return True
    if kind == "invalid-request":
        skus = [line.get("sku") for line in body.get("lines", [])]
        return (
            # JSON Schema counts 1.0 among the integers. The API doesn't, as the document says in words.
            error.get("detail", "").startswith("invalid type: floating point")
            # A sku may be ordered once, which `uniqueItems` can't say of a part of the items.
            or (error.get("pointer") == "/lines" and len(skus) > len(set(skus)))
            # Money goes back in the currency that it came in.
            or error.get("detail") == "is not the currency of the payment"
            or (error.get("pointer") in ("/password", "/new_password") and not 12 <= length_of_password(body) <= 128)
        )
    # No schema compares two parameters, or one with the time.
    late = ("must be later than created_from", "must be in the past")
    return kind == "invalid-filter" and error.get("detail") in late


@schemathesis.hook
def filter_failure(context, failure, case, response):
    kind = type(failure).__name__
    if kind == "RejectedPositiveData":
        return not depends_on_more_than_the_schema(case, response)
    if kind == "ServerError":
        # That something is away is what these are asked for.
        return not (name_of(case) in ("check-health", "check-readiness") and response.status_code == 503)
    if kind == "AcceptedNegativeData":
        return not is_valid_as_it_is_read(case)
    return True


# More checks: that there is nothing in an answer that the document doesn't know.


def resolved(root, value):
    while isinstance(value, dict) and "$ref" in value:
        found = root
        for part in value["$ref"].removeprefix("#/").split("/"):
            found = found[part.replace("~1", "/").replace("~0", "~")]
        value = found
    return value


def documented(case, response):
    """The root of the document, and what it says of answers like this one."""
    root = case.operation.schema.raw_schema
    responses = case.operation.definition.raw["responses"]
    return root, resolved(root, responses.get(str(response.status_code), {}))


def content_of(case, response):
    root, answer = documented(case, response)
    media_type = response.headers.get("content-type", [""])[0].split(";")[0].strip()
    return root, answer.get("content", {}).get(media_type, {})


def parts_of(root, schema):
    """A schema and all those that it is made of."""
    schema = resolved(root, schema)
    yield schema
    for keyword in ("allOf", "anyOf", "oneOf"):
        for part in schema.get(keyword, []):
            yield from parts_of(root, part)


def unknown_fields(root, schemas, value, pointer=""):
    parts = [part for schema in schemas for part in parts_of(root, schema)]
    if isinstance(value, list):
        items = [part["items"] for part in parts if "items" in part]
        for index, item in enumerate(value):
            yield from unknown_fields(root, items, item, f"{pointer}/{index}")
    known = [part["properties"] for part in parts if "properties" in part]
    if isinstance(value, dict) and known:
        for name, field in value.items():
            named = [properties[name] for properties in known if name in properties]
            if named:
                yield from unknown_fields(root, named, field, f"{pointer}/{name}")
            else:
                yield f"{pointer}/{name}"


def refuse(case, title, message):
    raise Failure(operation=case.operation.label, title=title, message=message)


def is_probe(case):
    """Requests with another method, or another type of content, than the operation takes."""
    return coverage_scenario(case) in REQUEST_SHAPE_PROBES


@schemathesis.check
def no_undocumented_header(ctx, response, case):
    _, answer = documented(case, response)
    known = {name.lower() for name in answer.get("headers", {})} | TRANSPORT | EVERYWHERE
    unknown = sorted({name.lower() for name in response.headers} - known)
    if unknown and not is_probe(case):
        refuse(case, "Undocumented header", f"The document doesn't name {', '.join(unknown)} here.")


@schemathesis.check
def no_undocumented_field(ctx, response, case):
    root, content = content_of(case, response)
    if "schema" in content and response.headers.get("content-type", [""])[0].split(";")[0].endswith("json"):
        # The document that describes documents says no more than that it is one.
        if name_of(case) == "read-openapi" and response.status_code == 200:
            return
        unknown = sorted(unknown_fields(root, [content["schema"]], response.json()))
        if unknown:
            refuse(case, "Undocumented field", f"The document doesn't name {', '.join(unknown)} here.")


@schemathesis.check
def no_undocumented_problem(ctx, response, case):
    """Each response of the document has an example of every type of problem that it may carry."""
    problem = problem_of(response)
    if not problem or is_probe(case):
        return
    root, content = content_of(case, response)
    examples = [resolved(root, example)["value"] for example in content.get("examples", {}).values()]
    if problem["type"] not in [example["type"] for example in examples]:
        refuse(case, "Undocumented problem", f"No example here is a {problem['type']}.")
    if problem["status"] != response.status_code:
        refuse(case, "Wrong status in a problem", f"It says {problem['status']}.")


@schemathesis.check
def nobody_else_reads_it(ctx, response, case):
    """What a customer reads of an order isn't there for another customer."""
    if ROLE == "customer" and name_of(case) in ("get-order", "get-payment") and response.status_code == 200:
        path = case.formatted_path
        answer = requests.get(API + path, headers={"Authorization": f"Bearer {people.stranger().token}"}, timeout=30)
        if answer.status_code != 404:
            refuse(case, "Another customer's order", f"A stranger got {answer.status_code} for {path}.")


@schemathesis.check
class EveryOperationWorked:
    """Random requests that are all refused would prove little."""

    def after_run(self, ctx):
        for operation in sorted(seen):
            answers = ", ".join(f"{status}: {count}" for status, count in sorted(seen[operation].items()))
            print(f"  {operation:<22} {sum(seen[operation].values()):>5} requests  ({answers})")
        forbidden = ADMINS_ONLY if ROLE == "customer" else set()
        failed = [
            operation
            for operation in OPERATIONS
            if (
                403 not in seen[operation]
                if operation in forbidden
                else not any(200 <= status < 300 for status in seen[operation])
            )
        ]
        if failed:
            message = f"None of the requests got as far as it should: {', '.join(sorted(failed))}."
            raise Failure(operation="All operations", title="Never successful", message=message)
