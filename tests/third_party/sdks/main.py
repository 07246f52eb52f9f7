# Prints the access key before and after a refresh, and the identity with each.
import json
import time

import boto3

session = boto3.Session()
client = session.client("sts")
credentials = session.get_credentials()


def key():
    return credentials.get_frozen_credentials().access_key


def arn():
    return client.get_caller_identity()["Arn"]


first = second = key()
arns = [arn()]
for _ in range(300):
    if second != first:
        break
    time.sleep(0.1)
    second = key()
arns.append(arn())
print(json.dumps({"first": first, "second": second, "arns": arns}))
