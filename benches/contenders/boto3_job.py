"""The job with boto3: `boto3_job.py whole` makes a link and uses it, `boto3_job.py verify` proves one that is there.

No call is made that the job does not need; who the accounts are is known. All clients come from one session, which reads
the descriptions of the services once. What IAM has not yet spread is waited for.
"""

import json
import os
import sys
import time

import boto3
from botocore.exceptions import ClientError

TARGET_ACCOUNT, ROLE, EXTERNAL_ID = (os.environ[name] for name in ("TARGET_ACCOUNT", "ROLE", "EXTERNAL_ID"))
ROLE_ARN = f"arn:aws:iam::{TARGET_ACCOUNT}:role/{ROLE}"
SESSION = boto3.Session()


def client(service, profile):
    keys = boto3.Session(profile_name=profile).get_credentials().get_frozen_credentials()
    return SESSION.client(service, aws_access_key_id=keys.access_key, aws_secret_access_key=keys.secret_key)


def policy(**statement):
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", **statement}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def make_link():
    target, source = client("iam", "dev-admin"), client("iam", "security-admin")
    trust = policy(
        Principal={"AWS": f"arn:aws:iam::{os.environ['SOURCE_ACCOUNT']}:root"},
        Condition={"StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
    )
    target.create_role(RoleName=ROLE, AssumeRolePolicyDocument=trust)
    target.attach_role_policy(RoleName=ROLE, PolicyArn=os.environ["POLICY_ARN"])
    source.put_user_policy(UserName="alice", PolicyName=ROLE, PolicyDocument=policy(Resource=ROLE_ARN))


def assume(sts, **external_id):
    return sts.assume_role(RoleArn=ROLE_ARN, RoleSessionName="alice", **external_id)["Credentials"]


def wait_for_session(sts):
    """A role and a grant take effect some seconds after they are made."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return assume(sts, ExternalId=EXTERNAL_ID)
        except ClientError as error:
            if error.response["Error"]["Code"] != "AccessDenied" or time.monotonic() > deadline:
                raise
            time.sleep(1)


def use_link(sts):
    credentials = wait_for_session(sts)
    keys = {
        "aws_access_key_id": credentials["AccessKeyId"],
        "aws_secret_access_key": credentials["SecretAccessKey"],
        "aws_session_token": credentials["SessionToken"],
    }
    account = SESSION.client("sts", **keys).get_caller_identity()["Account"]
    if account != TARGET_ACCOUNT:
        sys.exit(f"the session is in account {account}")
    s3, bucket = SESSION.client("s3", **keys), os.environ["BUCKET"]
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": os.environ["AWS_REGION"]})
    s3.delete_bucket(Bucket=bucket, ExpectedBucketOwner=TARGET_ACCOUNT)


def must_be_refused(sts, **external_id):
    try:
        assume(sts, **external_id)
    except ClientError as error:
        if error.response["Error"]["Code"] == "AccessDenied":
            return
        raise
    sys.exit(f"the role can be assumed with {external_id}")


if sys.argv[1] == "whole":
    make_link()
alice = client("sts", "alice")
use_link(alice)
if sys.argv[1] == "verify":
    must_be_refused(alice)
    must_be_refused(alice, ExternalId=f"not-{EXTERNAL_ID}")
