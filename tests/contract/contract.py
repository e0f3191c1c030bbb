"""The contract: finds what it says of an answer, holds the answer against it, and keeps count of what was seen."""

import copy
import json
import pathlib

import jsonschema_rs
import yaml

METHODS = ("get", "put", "post", "delete", "patch", "head", "options")
DIALECT = "https://json-schema.org/draft/2020-12/schema"


class Contract:
    def __init__(self, path):
        self.document = yaml.safe_load(pathlib.Path(path).read_text())
        self.schemas = closed(self.document["components"]["schemas"])
        self.operations = {
            operation["operationId"]: operation
            for item in self.document["paths"].values()
            for method, operation in item.items()
            if method in METHODS
        }
        self.seen = set()
        self.fault_codes_seen = set()
        self.validators = {}

    def resolve(self, node):
        while isinstance(node, dict) and "$ref" in node:
            target = self.document
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            node = target
        return node

    def response(self, operation, status):
        return self.resolve(self.operations[operation]["responses"].get(str(status)))

    def codes(self, response):
        """The problem codes that a response may have."""
        media = response.get("content", {}).get("application/problem+json")
        return media["schema"]["properties"]["code"]["enum"] if media else [None]

    def documented(self):
        """Every (operation, status, problem code) that the contract has; the code is None where there is none."""
        return {
            (name, int(status), code)
            for name, operation in self.operations.items()
            for status, response in operation["responses"].items()
            for code in self.codes(self.resolve(response))
        }

    def examples(self):
        """Every example, with where it is and the schema that it must fit."""
        for name, operation in self.operations.items():
            bodies = {"request": self.resolve(operation.get("requestBody", {}))}
            bodies |= {status: self.resolve(each) for status, each in operation["responses"].items()}
            for part, body in bodies.items():
                for media in body.get("content", {}).values():
                    for example, node in media.get("examples", {}).items():
                        yield f"{name} {part} {example}", media["schema"], self.resolve(node)["value"]

    def errors(self, schema, instance):
        key = json.dumps(schema, sort_keys=True)
        if key not in self.validators:
            whole = {"$schema": DIALECT, "components": {"schemas": self.schemas}, **close(schema)}
            self.validators[key] = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
        return [f"{list(error.instance_path)}: {error.message}" for error in self.validators[key].iter_errors(instance)]

    def check(self, operation, answer):
        """What is wrong with an answer; nothing, when it is as documented."""
        response = self.response(operation, answer.status)
        if response is None:
            return [f"the status {answer.status} is not documented"]
        wrong = self.check_headers(response, answer)
        content = response.get("content")
        code = None
        if not content:
            if answer.body or answer.kind:
                wrong.append(f"there is a body where none is documented: {answer.kind} {answer.body[:200]!r}")
        elif answer.kind not in content:
            wrong.append(f"the content type {answer.kind!r} is not documented")
        elif answer.kind.endswith("json"):
            document = answer.json()
            wrong += self.errors(content[answer.kind]["schema"], document)
            if answer.kind == "application/problem+json":
                code = document.get("code")
                self.fault_codes_seen.update(error["code"] for error in document.get("errors", []))
                if document.get("type") != f"urn:guichet:problem:{code}":
                    wrong.append(f"the type {document.get('type')!r} is not the code's")
        self.seen.add((operation, answer.status, code))
        return wrong

    def check_headers(self, response, answer):
        wrong = []
        for name, header in response.get("headers", {}).items():
            header = self.resolve(header)
            value = answer.headers.get(name.lower())
            if value is None and header.get("required"):
                wrong.append(f"the header {name} is missing")
            if value is not None:
                wrong += [f"the header {name}: {error}" for error in self.errors(header["schema"], value)]
        for name, value in (
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
        ):
            if answer.headers.get(name) != value:
                wrong.append(f"the header {name} is not {value}")
        return wrong


def closed(schemas):
    """All schemas, each also as `Name.open`: answers may grow for others, but here a member that is not documented is
    an error. Parts of an `allOf` stay open, the whole is closed."""
    both = {}
    for name, schema in schemas.items():
        both[name] = close(schema)
        both[f"{name}.open"] = close(schema, is_part=True)
    return both


def close(schema, is_part=False):
    schema = copy.copy(schema)
    parts = schema.get("allOf", [])
    merges = "$ref" in schema and "properties" in schema
    if merges or is_part:
        if "$ref" in schema:
            schema["$ref"] += ".open"
    for keyword in ("properties",):
        if keyword in schema:
            schema[keyword] = {name: close(value) for name, value in schema[keyword].items()}
    if isinstance(schema.get("items"), dict):
        schema["items"] = close(schema["items"])
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            schema[keyword] = [close(part) for part in schema[keyword]]
    if parts:
        schema["allOf"] = [part if "if" in part else close(part, is_part=True) for part in parts]
    has_members = "properties" in schema or any("$ref" in part for part in parts)
    if has_members and not is_part and "additionalProperties" not in schema:
        schema["unevaluatedProperties"] = False
    return schema
