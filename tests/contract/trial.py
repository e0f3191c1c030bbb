"""Asks the gateway by operation id, and holds every answer against the contract."""

import itertools
import json
import urllib.parse

from contract import METHODS

NAMES = itertools.count()
#: Who acts through accounting's key.
ACCOUNTANT = "Mme Durand"


def fresh(kind="key"):
    """A name that nothing else has."""
    return f"{kind}-{next(NAMES)}"


class Trial:
    def __init__(self, contract, bench):
        self.contract, self.bench = contract, bench
        self.failures = []
        self.count = 0
        self.places = {
            operation["operationId"]: (method.upper(), path, operation)
            for path, item in contract.document["paths"].items()
            for method, operation in item.items()
            if method in METHODS
        }

    def scopes(self, operation):
        """Those of which any one lets a caller in."""
        return self.contract.operations[operation].get("x-scopes", ["portal"])

    def request(self, operation, values=None, query="", key=None, headers=None, body=None):
        """Method, path, headers and bytes; a key and a fresh Idempotency-Key where the contract wants them. A header of
        None is left out."""
        method, path, documented = self.places[operation]
        for name, value in (values or {}).items():
            path = path.replace("{" + name + "}", urllib.parse.quote(str(value), safe="%"))
        sent = {}
        if documented.get("security") != []:
            scope = self.scopes(operation)[0]
            sent["Authorization"] = f"Bearer {key or self.bench.key_of[scope]}"
            if scope == "accounting" and not key:
                sent["Guichet-Actor"] = ACCOUNTANT
        parameters = [self.contract.resolve(each)["name"] for each in documented.get("parameters", [])]
        if "Idempotency-Key" in parameters:
            sent["Idempotency-Key"] = fresh()
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            media = next(iter(self.contract.resolve(documented.get("requestBody", {})).get("content", {None: None})))
            if media:
                sent["Content-Type"] = media
        sent.update(headers or {})
        sent = {name: value for name, value in sent.items() if value is not None}
        return method, path + (f"?{query}" if query else ""), sent, body or b""

    def ask(self, operation, expected, code=None, fault=None, **request):
        """One answer, which must have this status, and this problem or fault code where one is named."""
        return self.judge(operation, self.bench.send(*self.request(operation, **request)), expected, code, fault)

    def judge(self, operation, answer, expected=None, code=None, fault=None):
        self.count += 1
        wrong = self.contract.check(operation, answer)
        if expected is not None and answer.status != expected:
            wrong.append(f"{expected} was expected")
        if answer.kind == "application/problem+json":
            document = answer.json()
            faults = [error["code"] for error in document.get("errors", [])]
            if code and document["code"] != code:
                wrong.append(f"{code} was expected")
            if fault and fault not in faults:
                wrong.append(f"the fault {fault} was expected")
        if wrong:
            self.failures.append(f"{operation}: {answer.status} {answer.body[:600].decode(errors='replace')}\n    "
                                 + "\n    ".join(wrong))
        return answer
