#!/usr/bin/env bash
# The job with the AWS CLI: `aws_cli.sh whole` makes a link and uses it, `aws_cli.sh verify` proves one that is there.
#
# No call is made that the job does not need; who the accounts are is known. What IAM has not yet spread is waited for.
set -euo pipefail

# The CLI may be one that is not in PATH.
aws() { "$AWS" "$@"; }
role_arn=arn:aws:iam::$TARGET_ACCOUNT:role/$ROLE
errors=$(mktemp)
trap 'rm -f "$errors"' EXIT

assume() {
  aws sts assume-role --profile alice --role-arn "$role_arn" --role-session-name alice "$@" \
    --query 'Credentials.[AccessKeyId,SecretAccessKey,SessionToken]' --output text 2>"$errors"
}

# A role and a grant take effect some seconds after they are made.
wait_for_session() {
  until session=$(assume --external-id "$EXTERNAL_ID"); do
    if ! grep -q AccessDenied "$errors" || ((SECONDS > 60)); then
      cat "$errors" >&2
      return 1
    fi
    sleep 1
  done
}

must_be_refused() {
  if assume "$@" >/dev/null; then
    echo "the role can be assumed with: $*" >&2
    return 1
  fi
  grep -q AccessDenied "$errors" || { cat "$errors" >&2 && return 1; }
}

make_link() {
  aws iam create-role --profile dev-admin --role-name "$ROLE" --output text --query Role.Arn \
    --assume-role-policy-document '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",
      "Principal":{"AWS":"arn:aws:iam::'"$SOURCE_ACCOUNT"':root"},
      "Condition":{"StringEquals":{"sts:ExternalId":"'"$EXTERNAL_ID"'"}}}]}'
  aws iam attach-role-policy --profile dev-admin --role-name "$ROLE" --policy-arn "$POLICY_ARN"
  aws iam put-user-policy --profile security-admin --user-name alice --policy-name "$ROLE" \
    --policy-document '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",
      "Resource":"'"$role_arn"'"}]}'
}

use_link() {
  wait_for_session
  read -r AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN <<<"$session"
  (
    export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
    [[ $(aws sts get-caller-identity --query Account --output text) == "$TARGET_ACCOUNT" ]]
    aws s3api create-bucket --bucket "$BUCKET" --create-bucket-configuration "LocationConstraint=$AWS_REGION" \
      --output text >/dev/null
    aws s3api delete-bucket --bucket "$BUCKET" --expected-bucket-owner "$TARGET_ACCOUNT"
  )
}

case $1 in
  whole)
    make_link
    use_link
    ;;
  verify)
    use_link
    must_be_refused
    must_be_refused --external-id "not-$EXTERNAL_ID"
    ;;
esac
