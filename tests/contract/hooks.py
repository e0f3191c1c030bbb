"""What schemathesis cannot know from the contract: what is new each time, and what the bench's merchant is like."""

import itertools
import os
import re

import schemathesis
from schemathesis.generation import GenerationMode

NUMBERS = itertools.count()
#: Secret parts of links that were handed out.
TOKENS = []


@schemathesis.hook
def before_call(context, case, **_):
    """Runs for every case; those that are to be refused are left as they are."""
    operation = case.operation.definition.raw["operationId"]
    key = case.headers.get("Idempotency-Key")
    # A key that is not of the right form is what is being tested.
    if key and re.fullmatch("[!-~]{1,128}", str(key)):
        case.headers["Idempotency-Key"] = f"schemathesis-{next(NUMBERS)}"
    if case.meta is None or case.meta.generation.mode != GenerationMode.POSITIVE:
        return
    # Headers are made up too, and once in a while one of this name.
    if "Authorization" in case.headers:
        case.headers["Authorization"] = f"Bearer {os.environ['GUICHET_KEY']}"
    if operation == "placeOrder" and isinstance(case.body, dict):
        case.body = acceptable_order(case.body)
    if operation == "checkOut" and isinstance(case.body, dict):
        case.body = {**case.body, "return_url": "http://127.0.0.1:9/retour"}
    if operation == "requestPlan" and isinstance(case.body, dict):
        case.body = {"template": "3x"}
    if "merchant" in case.path_parameters:
        case.path_parameters["merchant"] = "ecole"
    if operation in ("pay", "returned") and TOKENS:
        case.path_parameters["token"] = TOKENS[next(NUMBERS) % len(TOKENS)]


@schemathesis.hook
def after_call(context, case, response):
    if case.operation.definition.raw["operationId"] == "checkOut" and response.status_code == 201:
        TOKENS.append(response.json()["redirect"].rsplit("/", 1)[1])


def acceptable_order(order):
    """The order within the rules that are not the contract's but the merchant's, the price's and PAYBOX's."""
    order = {**order, "currency": "EUR", "reference": f"schemathesis-{next(NUMBERS)}"}
    # Another's merchant, and orders that do not exist, are for tests/contract/portal.py.
    order.pop("merchant", None)
    order.pop("replaces", None)
    order["lines"] = [acceptable_line(line) for line in order["lines"]]
    payer = order["payer"]
    if "addresses" in payer:
        addresses = [acceptable_address(each) | {"id": f"{number}"} for number, each in enumerate(payer["addresses"])]
        order["payer"] = {**payer, "addresses": addresses}
    return order


def acceptable_address(address):
    """PAYBOX takes ASCII; something must be left of each text."""
    texts = {
        name: value if re.search("[A-Za-z0-9]", value) else "x"
        for name, value in address.items() if value is not None and name != "mobile_phone"
    }
    return {**texts, "country": "FR"}


def acceptable_line(line):
    # 1.0 is an integer to JSON Schema; the gateway takes no amounts with a decimal point.
    price = {"amount": 100 + int(line["unit_price"]["amount"]) % 100_000, "currency": "EUR"}
    line = {**line, "unit_price": price}
    for name, usual in (("quantity", "1"), ("discount_percent", "0"), ("vat_rate", "20")):
        if not re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,4})?", line.get(name, usual)) or name == "discount_percent":
            line[name] = usual
    if float(line["quantity"]) < 1:
        line["quantity"] = "1"
    return line
