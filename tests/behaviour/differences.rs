//! The list of all declared differences between a server and AWS.

use crate::server::Name;

/// A difference between a server and AWS.
pub struct Difference {
    /// The name of the behaviour, which defines AWS's answer and its source.
    pub behaviour: &'static str,
    /// The server that differs.
    pub server: Name,
    /// Its answer.
    pub instead: &'static str,
    /// Which answer is right.
    pub right: Right,
    /// The reason for the difference.
    pub why: &'static str,
}

/// Which answer is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// The other server, which agrees with the source of the behaviour.
    TheOther,
    /// Unknown: the sources contradict each other, and the suite follows the one that the behaviour names.
    Open,
}

/// Returns the declared difference of a server for a behaviour.
pub fn declared(behaviour: &str, server: Name) -> Option<&'static Difference> {
    ALL.iter().find(|difference| difference.behaviour == behaviour && difference.server == server)
}

const fn sandbox(behaviour: &'static str, instead: &'static str, why: &'static str) -> Difference {
    Difference { behaviour, server: Name::Sandbox, instead, right: Right::TheOther, why }
}

const fn ministack(behaviour: &'static str, instead: &'static str, why: &'static str) -> Difference {
    Difference { behaviour, server: Name::Ministack, instead, right: Right::TheOther, why }
}

const NO_OPERATION: &str = "It has no such operation: tests create the resource directly.";
const NO_MFA: &str = "It ignores the MFA parameters: no AssumeRole has MFA.";
const TWO_HALVES: &str = "It requires a grant within an account too, whatever the trust policy names.";
const NO_RULES: &str = "It does not validate this parameter.";
const NO_DURATION: &str = "It accepts any duration.";
const NO_SOURCE_IDENTITY: &str = "It ignores the source identity.";
const ANY_TRUST: &str = "It accepts anything as a trust policy.";
const AS_WRITTEN: &str = "It stores principals as written.";
const NO_QUOTAS: &str = "It has no quotas for policies.";
const CAPITALS: &str = "It treats names as case-sensitive.";
const NO_FILTER: &str = "It filters lists of policies by scope and path only.";
const NO_PROTECTION: &str = "It changes every role.";
const SESSION_ARN: &str = "Its `aws:PrincipalArn` of a session is the ARN of the session.";
const NO_OWNER: &str = "It ignores the expected bucket owner.";

/// Returns all differences.
pub const ALL: &[Difference] = &[
    // The sandbox
    sandbox("an MFA device, over the wire", "400 InvalidAction", NO_OPERATION),
    // ministack, AssumeRole
    ministack(
        "external ID required by the grant and right",
        "403 AccessDenied",
        "It evaluates the caller's policies without the external ID.",
    ),
    ministack("MFA required and given", "403 AccessDenied", NO_MFA),
    ministack("MFA with an unknown device", "ok", NO_MFA),
    ministack("same account: trust in the user is enough", "403 AccessDenied", TWO_HALVES),
    ministack("same account: a boundary does not limit trust in the user", "403 AccessDenied", TWO_HALVES),
    ministack("trust in a role", "403 AccessDenied", TWO_HALVES),
    ministack("trust in a session", "403 AccessDenied", TWO_HALVES),
    ministack(
        "no such role: the message of the denial",
        "403 AccessDenied: User: is not authorized to perform: sts:AssumeRole on resource: \
         arn:aws:iam::<B>:role/target",
        "It denies the request before it authenticates the caller.",
    ),
    Difference {
        right: Right::Open,
        ..ministack(
            "denied without a grant: the message has no reason",
            "403 AccessDenied: User: arn:aws:iam::<A>:user/alice is not authorized to perform: \
             sts:AssumeRole because no identity-based policy allows the sts:AssumeRole action",
            "It gives the reason, as AWS's documents do (IAM User Guide, Troubleshoot access denied error messages); \
             asked itself, AWS gave callers of other accounts none. To leave the resource out is wrong in any case.",
        )
    },
    ministack(
        "denied within one account: the message has no reason",
        "403 AccessDenied: User: arn:aws:iam::<A>:user/alice is not authorized to perform: sts:AssumeRole because no \
         identity-based policy allows the sts:AssumeRole action",
        "It gives the reason, as AWS's documents do; no such answer of AWS was ever found recorded.",
    ),
    ministack("the root user assumes no role", "ok", "It allows the root user everything."),
    ministack(
        "a role with a path, by an ARN with and without it",
        "ok, ok",
        "It finds roles by name and ignores the path in the ARN.",
    ),
    // ministack, Sessions
    ministack("session name of one character", "ok", NO_RULES),
    ministack("session name of 65 characters", "ok", NO_RULES),
    ministack("session name with a space", "ok", NO_RULES),
    ministack("external ID of one character", "ok", NO_RULES),
    ministack("external ID with a space", "ok", NO_RULES),
    ministack("duration outside 900 to 43200", "ok, ok", NO_DURATION),
    ministack("duration over MaxSessionDuration", "ok", NO_DURATION),
    ministack("duration up to a raised MaxSessionDuration", "ok, ok", NO_DURATION),
    ministack("chaining for more than an hour", "ok", NO_DURATION),
    ministack("session of GetSessionToken assumes a role for more than an hour", "ok", NO_DURATION),
    ministack("a transitive tag key without its tag", "ok", NO_RULES),
    ministack(
        "session tags allowed by the trust policy alone",
        "ok",
        "It evaluates `sts:TagSession` only against the trust policy.",
    ),
    ministack("source identity allowed by neither half", "no source identity", NO_SOURCE_IDENTITY),
    ministack("source identity allowed by the trust policy alone", "no source identity", NO_SOURCE_IDENTITY),
    ministack("source identity allowed by the grant alone", "no source identity", NO_SOURCE_IDENTITY),
    ministack("source identity allowed by both halves", "no source identity", NO_SOURCE_IDENTITY),
    ministack("source identity stays in a chain", "no source identity, ok", NO_SOURCE_IDENTITY),
    ministack(
        "session of a deleted role",
        "<B> arn:aws:sts::<B>:assumed-role/target/session AROA…:session, <B> \
         arn:aws:sts::<B>:assumed-role/target/session AROA…:session after it was made again",
        "Its sessions outlive their role.",
    ),
    ministack(
        "session of GetSessionToken without MFA calls IAM",
        "ok",
        "It gives these sessions all permissions of the user.",
    ),
    // ministack, IAM
    ministack("trust in a user that does not exist", "ok", ANY_TRUST),
    ministack("trust in a user in different case", "ok", ANY_TRUST),
    ministack("trust in users by a wildcard", "ok", ANY_TRUST),
    ministack("trust in a group", "ok", ANY_TRUST),
    ministack("trust policy with a resource", "ok", ANY_TRUST),
    ministack("trust policy without a principal", "ok", ANY_TRUST),
    ministack("trust policy with an unknown element", "ok", ANY_TRUST),
    ministack("trust policy with an unknown version", "ok", ANY_TRUST),
    ministack("trust policy with an unknown effect", "ok", ANY_TRUST),
    ministack("trust policy that is not JSON", "ok", ANY_TRUST),
    ministack("trust policy of more than 2048 characters", "ok", NO_QUOTAS),
    ministack("the order of principals changes from read to read", "1 orders", AS_WRITTEN),
    ministack("trust in an account ID reads as its root", "{\"AWS\":\"<A>\"}", AS_WRITTEN),
    ministack(
        "trust in a deleted user reads as a unique ID",
        "{\"AWS\":\"arn:aws:iam::<A>:user/bob\"} then {\"AWS\":\"arn:aws:iam::<A>:user/bob\"}",
        AS_WRITTEN,
    ),
    ministack("trust in a recreated user", "{\"AWS\":\"arn:aws:iam::<A>:user/bob\"}, ok", AS_WRITTEN),
    ministack(
        "a role that exists, and the same in different case",
        "409 EntityAlreadyExists: Role with name target already exists., ok",
        CAPITALS,
    ),
    ministack("an existing user in different case", "ok", CAPITALS),
    ministack(
        "missing names",
        "404 NoSuchEntity: Role none not found., 404 NoSuchEntity: The user with name none cannot be \
         found., 404 NoSuchEntity: The user policy with name none cannot be found., 404 NoSuchEntity: The \
         role policy with name none cannot be found.",
        "Its error text for roles differs.",
    ),
    ministack("role name of 65 characters", "ok", NO_RULES),
    ministack("role name with a space", "ok", NO_RULES),
    ministack(
        "a role with a path",
        "arn:aws:iam::<B>:role/one/two/target /one/two/, 409 EntityAlreadyExists",
        NO_RULES,
    ),
    ministack("GetUser without a name returns the caller", "root", "It returns the root user for every caller."),
    ministack("MaxSessionDuration outside 3600 to 43200", "ok, 409 EntityAlreadyExists", NO_RULES),
    ministack(
        "UpdateRole without MaxSessionDuration sets one hour",
        "7200 then 7200 new words",
        "It keeps the value if the parameter is missing.",
    ),
    ministack("policy of a user with a principal", "ok", "It checks less of the policy grammar."),
    ministack("policy of a user without a vendor in the action", "ok", "It checks less of the policy grammar."),
    ministack("policy of a user of 2048 characters, and of 2049", "ok, ok", NO_QUOTAS),
    ministack("the policies of a user share a quota", "ok, ok, ok", NO_QUOTAS),
    ministack("a managed policy that does not exist", "ok, ok", "It attaches any ARN."),
    ministack(
        "a call without permission",
        "403 AccessDenied: User: arn:aws:iam::<A>:user/alice is not authorized to perform: iam:GetUser \
         because no identity-based policy allows the iam:GetUser action",
        "Its error text omits the resource.",
    ),
    // ministack, managed policies and groups
    ministack(
        "an older version can become the default again",
        "400 InvalidAction, 403 AccessDenied, v2",
        "It has no SetDefaultPolicyVersion.",
    ),
    ministack(
        "deletion of a policy with two versions, and of an attached one",
        "ok, 404 NoSuchEntity, 409 DeleteConflict",
        "It deletes a policy with all its versions.",
    ),
    ministack(
        "the default version of an AWS managed policy need not be v1",
        "v1, v1",
        "Its copies have one version, v1.",
    ),
    ministack(
        "lists of policies in use",
        "AdministratorAccess ReadOnlyAccess SecurityAudit idle mine, idle mine, idle mine",
        NO_FILTER,
    ),
    ministack("lists of policies that are boundaries", "limit mine, limit mine", NO_FILTER),
    ministack("lists of policies are paginated", "3 of 3", "It returns all results in one page."),
    ministack("deletion of a group with a member", "ok", "It deletes groups with their members."),
    // ministack, principals
    ministack("the policies of a group share a quota of 5120 characters", "ok, ok, ok", NO_QUOTAS),
    ministack("the policies of a role share a quota of 10240 characters", "ok, ok, ok", NO_QUOTAS),
    ministack("a managed policy of 6144 characters, and of 6145", "ok, ok", NO_QUOTAS),
    ministack("the eleventh managed policy of a role, and of a group", "ok, ok", NO_QUOTAS),
    ministack("the eleventh group of a user", "ok", NO_QUOTAS),
    ministack(
        "GetAccountSummary returns the quotas of principals and policies",
        "user 2048 10, group 5120 10, role none 10, policy 6144 5, trust 2048, groups 10",
        "It leaves out the quota of a role's inline policies.",
    ),
    ministack("a policy of a group with a principal", "ok", "It checks less of the policy grammar."),
    ministack(
        "a managed policy whose name exists",
        "409 EntityAlreadyExists: A policy called xacct already exists.",
        "Its error text is shorter.",
    ),
    ministack("the principal ARN of a session is that of the role with its path", "403 AccessDenied", SESSION_ARN),
    ministack("the principal ARN of a session is not that of the session", "ok", SESSION_ARN),
    ministack(
        "a recreated role, with trust in it and with trust in its ARN by a condition",
        "ok, 403 AccessDenied",
        SESSION_ARN,
    ),
    ministack("inherited session tags without sts:TagSession", "ok", "It does not inherit session tags."),
    ministack("policies and deletion of a permission set's role", "ok, ok, ok, ok, ok", NO_PROTECTION),
    ministack("other changes of a permission set's role", "ok, ok, ok, ok", NO_PROTECTION),
    ministack(
        "a grant for an organization: account B in none, in another one, in this one",
        "403 AccessDenied, 403 AccessDenied, 403 AccessDenied",
        "It has no key for the organization of an account.",
    ),
    // ministack, S3
    ministack("HeadBucket with the right and a wrong owner", "us-east-1, us-east-1", NO_OWNER),
    ministack("DeleteBucket with a wrong and the right owner", "ok, 404 NoSuchBucket", NO_OWNER),
    ministack(
        "one's own bucket again in us-east-1, with tags",
        "ok",
        "It creates a bucket again wherever the owner asks for it.",
    ),
    ministack("mistakes with the namespace of a bucket", "ok, ok, ok, ok", "It ignores the namespace."),
    ministack(
        "the message of a denial names the managed policy",
        "403 AccessDenied: User: arn:aws:sts::<B>:assumed-role/target/session is not authorized to perform: \
         s3:ListAllMyBuckets with an explicit deny in an identity-based policy",
        "Its error text omits the resource and the policy.",
    ),
    ministack("an invalid location", "ok", "It has no list of Regions."),
    ministack(
        "invalid bucket names",
        "400 InvalidBucketName, 400 InvalidBucketName, ok",
        "It does not check reserved prefixes.",
    ),
    ministack(
        "a bucket with tags without s3:TagResource",
        "ok",
        "It evaluates only `s3:CreateBucket` against the caller's policies.",
    ),
];
