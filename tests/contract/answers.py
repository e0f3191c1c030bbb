"""Holds the gateway's real answers against contracts/openapi.yaml, and the contract against what was seen.

Fails when an answer is not as documented, when something documented was never seen, when the source has a code that
the contract does not list, and when an example does not fit its schema."""

import re
import sys
import tempfile
import traceback

import corrections
import debits
import imports
import limits
import meetings
import nothing_works
import plans
import portal
import reconciliation
import strangers
import test_clock
import too_many
import webhooks
from bench import ROOT, Bench, end_tidily, make_keys
from contract import Contract
from trial import Trial

#: What the contract documents and no test can bring about, and why.
NOT_SEEN = {
    ("cancelOrder", 409, "busy"): "a lone order's change is tried 16 times before it gives up",
    ("checkOut", 409, "busy"): "a lone order's change is tried 16 times before it gives up",
    ("moveTestClock", 409, "busy"): "as an order's change",
    ("enterDrift", 409, "busy"): "as an order's change",
    **{(operation, 409, "busy"): "as an order's change"
       for operation in ("endReconciliation", "changeWebhookEndpoint", "deleteWebhookEndpoint", "rotateWebhookSecret",
                         "testWebhookEndpoint", "replayWebhooks", "requestPlan", "withdrawPlan", "approvePlan",
                         "refusePlan", "pausePlan", "resumePlan", "cancelPlan", "retryInstalment", *corrections.WRITES)},
    **{(operation, 409, "too_many_corrections"): "an order has twelve instalments at most"
       for operation in ("writeOffInstalment", "bookPaidElsewhere")},
    ("approvePlan", 422, "below_minimum"): "takes another configuration between request and approval",
    ("approvePlan", 422, "above_maximum"): "takes another configuration between request and approval",
}
#: Codes that no operation documents, and why.
OF_NO_OPERATION = {
    "method_not_allowed": "OpenAPI documents methods that exist",
    "internal": "a defect, which no test knows how to bring about",
}
#: Fault codes that no request brings about, and why.
FAULTS_NOT_SEEN = {}


def main():
    end_tidily()
    contract = Contract(ROOT / "contracts/openapi.yaml")
    failures = source_against(contract)
    for place, schema, value in contract.examples():
        failures += [f"the example {place}: {error}" for error in contract.errors(schema, value)]
    count = 0
    with tempfile.TemporaryDirectory(prefix="guichet-contract-keys-") as folder:
        keys = make_keys(folder)
        for scenes, settings in (
            ([portal, limits, strangers, meetings, webhooks, test_clock], {}),
            ([plans, debits], {"takes_sandbox_along": True}),
            ([corrections], {"takes_sandbox_along": True}),
            ([reconciliation], {}),
            ([imports], {}),
            ([nothing_works], {}),
            ([too_many], {"per_minute": too_many.PER_MINUTE}),
        ):
            with Bench(keys, **settings) as bench:
                trial = Trial(contract, bench)
                for scene in scenes:
                    try:
                        scene.run(trial)
                    except Exception:
                        # What was found wrong before is most often why.
                        trial.failures.append(f"{scene.__name__} broke off:\n{traceback.format_exc()}")
                failures += trial.failures
                count += trial.count
    failures += what_was_not_seen(contract)
    for failure in failures:
        print(failure, file=sys.stderr)
    documented = contract.documented()
    print(f"{count} answers; {len(contract.seen & documented)} of {len(documented)} documented kinds of answer seen, "
          f"{len(NOT_SEEN)} excused; {len(contract.fault_codes_seen)} fault codes seen")
    return 1 if failures else 0


def source_against(contract):
    """The codes in the source and in the contract are the same, and every one is explained."""
    failures = []
    for schema, file in (("ProblemCode", "problem.rs"), ("FaultCode", "words_of_faults.rs")):
        source = (ROOT / "src/http" / file).read_text()
        names = set(re.findall(r'(?:Self|FaultKind)::\S[^=;]*=> "([a-z_]+)"', source))
        listed = contract.document["components"]["schemas"][schema]
        explained = set(re.findall(r"^\| `([a-z_]+)` \|", listed["description"], re.MULTILINE))
        for what, there in (("the list", set(listed["enum"])), ("the table", explained)):
            failures += [f"{schema}: {name} of {file} is not in {what}" for name in sorted(names - there)]
            failures += [f"{schema}: {name} in {what} is not in {file}" for name in sorted(there - names)]
    documented = {code for _, _, code in contract.documented()} | OF_NO_OPERATION.keys()
    listed = set(contract.document["components"]["schemas"]["ProblemCode"]["enum"])
    return failures + [f"ProblemCode: no operation documents {code}" for code in sorted(listed - documented)]


def what_was_not_seen(contract):
    documented = contract.documented()
    failures = [f"never seen: {kind}" for kind in sorted(documented - contract.seen - NOT_SEEN.keys(), key=str)]
    failures += [f"excused, but seen or not documented: {kind}" for kind in NOT_SEEN
                 if kind in contract.seen or kind not in documented]
    faults = set(contract.document["components"]["schemas"]["FaultCode"]["enum"])
    unseen = faults - contract.fault_codes_seen
    failures += [f"never seen: the fault {code}" for code in sorted(unseen - FAULTS_NOT_SEEN.keys())]
    failures += [f"excused, but seen: the fault {code}" for code in FAULTS_NOT_SEEN if code not in unseen]
    return failures


if __name__ == "__main__":
    sys.exit(main())
