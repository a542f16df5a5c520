"""The peer that `npm run bench` compares with: what a user would write in Python instead. One PutItem for each payment: no
audit record, no encryption of fields, no check for duplicates. `main` below drives it as client.cjs drives the ledger's function.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import boto3
from botocore.config import Config

CONFIG = Config(max_pool_connections=32, retries={"max_attempts": 1})
table = boto3.resource("dynamodb", config=CONFIG).Table("PaymentLedger")
s3 = boto3.client("s3", config=CONFIG.merge(Config(s3={"addressing_style": "path"})))


def handler(event, _context):
    table.put_item(
        Item={
            "TransactionID": event["TransactionID"],
            "SecureToken": event["SecureToken"],
            "Amount": Decimal(event["Amount"]),
            "Currency": event["Currency"],
            "ProcessorID": event["ProcessorID"],
            "Status": event["Status"],
            "Timestamp": event["Timestamp"],
        }
    )
    return {"statusCode": 200, "body": json.dumps({"TransactionID": event["TransactionID"]})}


def file_handler(key):
    """One file with one payment, as the Lambda function of the CloudFormation template reads it."""
    body = s3.get_object(Bucket="payment-files-bench", Key=key)["Body"].read()
    return handler(json.loads(body, parse_float=Decimal), None)


def payment(number):
    return {
        "TransactionID": f"txn-{number}",
        "SecureToken": "tok_4f2a9c31d0",
        "Amount": "10.50",
        "Currency": "EUR",
        "ProcessorID": "acme",
        "Status": "Success",
        "Timestamp": "2026-11-21T10:00:00.000Z",
    }


def main(job):
    if job["mode"] == "cold":
        for number in range(2):
            handler(payment(number), None)
        return {"cpuMs": time.process_time() * 1000}
    if job["mode"] == "file":
        call = lambda number: file_handler(f"one/{number}.json")
    else:
        call = lambda number: handler(payment(number), None)
    call(0)
    wall, cpu = time.perf_counter(), time.process_time()
    if job["inFlight"] == 1:
        for number in range(job["calls"]):
            call(number)
    else:
        with ThreadPoolExecutor(job["inFlight"]) as pool:
            for _answer in pool.map(call, range(job["calls"])):
                pass
    return {
        "cpuMs": (time.process_time() - cpu) * 1000,
        "wallMs": (time.perf_counter() - wall) * 1000,
        "payments": job["calls"],
    }


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
    sys.exit(0)
