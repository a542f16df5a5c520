"""Records, reads and refunds one payment with boto3, and handles every answer of the ledger.

Its argument is the suffix of the ledger's environment: dev (default), prod, or another.
"""

import json
import sys

import boto3

ENVIRONMENT = sys.argv[1] if len(sys.argv) > 1 else "dev"
ACTOR = "billing"

awslambda = boto3.client("lambda")


class LedgerCallFailed(Exception):
    """A technical fault. Send the same request again: with the same ids nothing is recorded twice."""


def call(function, request):
    """Invokes a function of the ledger and returns its answer."""
    name = function if ENVIRONMENT == "prod" else f"{function}-{ENVIRONMENT}"
    reply = awslambda.invoke(FunctionName=name, Payload=json.dumps({"Actor": ACTOR, **request}))
    answer = json.load(reply["Payload"])
    if "FunctionError" in reply:
        raise LedgerCallFailed(f"{name} failed ({answer.get('errorType')}).")
    return answer


def record(payment):
    """Records one payment, once, however often it is sent. The amount is text: a float is not exact."""
    answer = call("persist_payment_ledger", payment)
    # The whole call was refused, or each entry has its result.
    return answer if "results" not in answer else answer["results"][0]


def text(result):
    if result["outcome"] == "stored":
        return f"stored, audit record {result['AuditID']}"
    if result["outcome"] == "duplicate":
        return "duplicate: it is recorded already, which is fine"
    if result["outcome"] == "conflict":
        return f"conflict: other content is recorded under this id; it differs in {result.get('field', 'a field')}"
    return f"refused: {result['code']}: {result['message']}"


def main():
    payment = {
        "TransactionID": "invoice-2001",
        "SecureToken": "tok_3bC7mR55y",
        "Amount": "80.00",
        "Currency": "USD",
        "ProcessorID": "acme-pay",
        "Status": "Success",
    }
    print("first:", text(record(payment)))
    print("again:", text(record(payment)))
    print("other amount:", text(record({**payment, "Amount": "81.00"})))
    print("no amount:", text(record({**payment, "TransactionID": "invoice-2002", "Amount": ""})))

    answer = call("query_payment_ledger", {"Query": "transaction", "TransactionID": "invoice-2001"})
    for found in answer.get("payments", []):
        print("read:", found["Amount"], found["Currency"], found["Status"])

    answer = call(
        "record_payment_event",
        {
            "TransactionID": "invoice-2001",
            "EventID": "refund-2001",
            "Kind": "REFUND_HELD",
            "Mode": "grant",
            "Amount": "5.00",
            "Currency": "USD",
        },
    )
    result = answer if "results" not in answer else answer["results"][0]
    print("refund:", result["outcome"], result.get("State", {}).get("RefundHeld", ""))


if __name__ == "__main__":
    main()
