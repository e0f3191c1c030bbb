"""Every limit that the contract sets on a document, from both sides: what is within is taken, what is beyond is not.

schemathesis makes such requests up too, but does not reach each limit of each field in a minute."""

import copy
import re

import portal
from documents import address, checkout, edited, order


def run(trial):
    document = order() | {"locale": "fr", "challenge": "wanted"}
    document["lines"][0] |= {"beneficiary": "Zoé Martin", "discount_percent": "0"}
    document["payer"]["addresses"][0]["address2"] = "Bât. B"
    for value, is_within, what in variations(trial.contract, "NewOrder", document):
        if value.get("reference") == document["reference"]:
            # References are used once.
            value = value | {"reference": order()["reference"]}
        judge(trial, "placeOrder", {}, value, is_within, what)
    edits = address() | {"address2": "Bât. B"}
    for billing in (
        {"mode": "prefilled", "address_id": "domicile", "address": edits},
        {"mode": "new", "address": edits},
        {"mode": "none"},
    ):
        values = {"id": portal.place(trial)["id"]}
        for value, is_within, what in variations(trial.contract, "NewCheckout", checkout(**billing) | {"locale": "en"}):
            judge(trial, "checkOut", values, value, is_within, f"{billing['mode']} {what}")


def judge(trial, operation, values, document, is_within, what):
    answer = trial.ask(operation, None, values=values, body=document)
    # What is within its form may still be refused for what it means: an address that the order does not have.
    faults = {fault["code"] for fault in answer.json().get("errors", [])}
    is_taken = answer.status == 201 or faults == {"unknown"}
    if is_taken != is_within:
        trial.failures.append(f"{operation}: {what} is {'taken' if is_taken else f'refused: {answer.body.decode()}'}")


def variations(contract, name, document):
    """Copies of the document, each with one change, whether that is within the contract, and what it is."""
    yield document, True, "all of it"
    for pointer, schema, is_required in places(contract, {"$ref": f"#/components/schemas/{name}"}, document, ""):
        yield from variations_at(document, pointer, schema, is_required)


def variations_at(document, pointer, schema, is_required):
    change = lambda value, is_within, what: (edited(document, pointer, value), is_within, f"{pointer} {what}")
    yield without(document, pointer), not is_required, f"{pointer} left out"
    yield change(None, schema["nullable"], "null")
    yield change(True, False, "true")
    if schema.get("type") == "object":
        yield edited(document, f"{pointer}/colour", "blue"), False, f"{pointer} with a member too many"
        yield change([], False, "a list")
    if "enum" in schema:
        yield change("other", False, "another value")
    if "maximum" in schema:
        for number in (schema["minimum"], schema["maximum"]):
            yield change(number, True, str(number))
        for number in (schema["minimum"] - 1, schema["maximum"] + 1, 1.5):
            yield change(number, False, str(number))
    if "maxLength" in schema:
        length, pattern = schema["maxLength"], schema.get("pattern", "")
        if re.search(pattern, "x"):
            yield change("x" * length, True, f"of {length} characters")
            yield change("x" * (length + 1), False, f"of {length + 1} characters")
        if schema.get("minLength"):
            yield change("", False, "empty")
        if "u0000" in pattern:
            yield change("a\tb", False, "with a control character")
    if "maxItems" in schema:
        items = document
        for step in pointer.strip("/").split("/"):
            items = items[step]
        many = [copy.deepcopy(items[0]) for _ in range(schema["maxItems"] + 1)]
        for number, item in enumerate(many):
            if "id" in item:
                item["id"] = str(number)
        yield change(many[:-1], True, f"of {len(many) - 1}")
        yield change(many, False, f"of {len(many)}")
        yield change([], not schema.get("minItems"), "empty")


def places(contract, schema, value, pointer, is_required=True):
    """Every place of the document, with its schema."""
    schema = flat(contract, schema, value)
    if pointer:
        yield pointer, schema, is_required
    if isinstance(value, dict):
        for name, each in value.items():
            inside = schema["properties"][name]
            yield from places(contract, inside, each, f"{pointer}/{name}", name in schema.get("required", []))
    if isinstance(value, list):
        for part in places(contract, schema["items"], value[0], f"{pointer}/0"):
            # The first item itself is not there to be left out.
            if part[0] != f"{pointer}/0":
                yield part


def flat(contract, schema, value):
    """The schema without references, and of several the one that the value is meant for."""
    schema = contract.resolve(schema)
    choices = schema.get("anyOf", schema.get("oneOf", [schema]))
    nullable = any(contract.resolve(choice).get("type") == "null" for choice in choices)
    fitting = [choice for choice in choices if not contract.errors(choice, value)]
    schema = contract.resolve(fitting[0])
    kinds = schema.get("type")
    return schema | {"nullable": nullable or (isinstance(kinds, list) and "null" in kinds)}


def without(document, pointer):
    parent, _, name = pointer.rpartition("/")
    document = copy.deepcopy(document)
    place = document
    for step in parent.split("/")[1:]:
        place = place[int(step) if step.isdigit() else step]
    del place[name]
    return document
