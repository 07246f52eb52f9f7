//! Answers to changes of policies and permission sets, and to the policy simulator. The answer names the cause by itself.

use crate::answers::cause::{Cause, Side};
use crate::diagnosis::facts::{Answer, Facts};
use crate::diagnosis::finding::Finding;
use crate::diagnosis::fix::{Fix, VerifyWith, aws};
use crate::error::AwsAnswer;
use crate::iam::arn::{CallerArn, PrincipalRef, set_of_role};

/// Returns whether AWS answered to something else than a test of the link, which only an operator asks for.
pub fn is_asked_for(facts: &Facts) -> bool {
    matches!(&facts.answer, Answer::Refused(answer) if answer.service != "sts" && answer.row().is_some_and(|row| row.cause.is_some()))
}

/// Returns the finding about an answer that names this cause.
pub fn finding(facts: &Facts, answer: &AwsAnswer, cause: Cause) -> Finding {
    let message = answer.message.as_deref().unwrap_or_default();
    match cause {
        Cause::PrincipalAbsent => invalid_principal(facts, message),
        Cause::SimulatedArn => simulated(facts, message),
        Cause::SessionTagsTooLarge => tags_too_large(facts),
        Cause::ReservedRole => reserved_role(facts, message),
        Cause::PolicyInUse => policy_in_use(facts),
        _ if cause.side() == Side::IdentityCenter => of_identity_center(facts, message, cause),
        _ => of_policy(facts, message, cause),
    }
}

/// Returns the first word of the message that begins so, without quotes and punctuation.
fn word<'a>(message: &'a str, beginning: &str) -> Option<&'a str> {
    let at = message.find(beginning)?;
    let end = |c: char| c.is_whitespace() || "\"'`,;()".contains(c);
    message.get(at..)?.split(end).next().map(|word| word.trim_end_matches('.'))
}

/// Returns the text in single quotes.
fn quoted(message: &str) -> Option<&str> {
    message.split('\'').nth(1)
}

/// Returns the text between these, as in `Cannot exceed quota for PoliciesPerRole: 10`.
fn between<'a>(message: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let rest = message.split_once(before)?.1;
    rest.split_once(after).map(|(text, _)| text.trim())
}

/// Names the permission set of the link, or of a role in the message.
fn set(facts: &Facts, message: &str) -> String {
    let of_link = match facts.link.of_link() {
        PrincipalRef::PermissionSet(name) => Some(name.clone()),
        _ => None,
    };
    let of_role = word(message, "AWSReservedSSO_").and_then(set_of_role);
    let caller = facts.caller.identity.present().and_then(CallerArn::permission_set);
    let found = of_role.or(of_link).or(caller);
    found.map_or_else(|| "the permission set".to_owned(), |name| format!("permission set {name}"))
}

fn invalid_principal(facts: &Facts, message: &str) -> Finding {
    let arn = word(message, "arn:").unwrap_or("a principal");
    if arn.contains(":group/") {
        let fix = Fix::by(Side::Target, facts).step_do(
            "trust the source account, and put the grant on the group: only its members can then assume the role; to restrict \
             the role further, name users",
        );
        let what = format!("a trust policy names {arn}, but a group cannot be a principal");
        return Finding::new(Cause::GroupAsPrincipal, what).fix(fix);
    }
    let fix = Fix::by(Side::Target, facts).step_do(
        "correct the ARN, with its path; if it was created moments ago, wait a minute. A condition ArnEquals aws:PrincipalArn \
         instead of the principal outlives its re-creation",
    );
    Finding::new(Cause::PrincipalAbsent, format!("a trust policy names {arn}, and there is no such user or role"))
        .fact("AWS replaces the ARN of a deleted principal by its unique ID, which it does not accept again")
        .fix(fix)
}

fn simulated(facts: &Facts, message: &str) -> Finding {
    let role = facts.source.user.present().map_or_else(|| "ROLE_ARN".to_owned(), |user| user.arn.clone());
    let simulate = aws(&facts.source.operator, "iam", "simulate-principal-policy")
        .option("--policy-source-arn", role)
        .option("--action-names", "sts:AssumeRole")
        .option("--resource-arns", &facts.link.role);
    let fix = Fix::by(Side::Request, facts)
        .step_do("simulate the role itself, by its ARN with the path, which iam:GetRole shows:")
        .run(simulate);
    let what = match word(message, "arn:").map(CallerArn::parse) {
        Some(CallerArn::AssumedRole { role, .. }) => {
            format!("the policy simulator was asked about a session of role {role}, not about the role")
        }
        _ => "the policy simulator was asked about a user, group or role that does not exist".to_owned(),
    };
    Finding::new(Cause::SimulatedArn, what).fact(NO_JUDGE).fix(fix)
}

/// What a simulation says about a link.
pub const NO_JUDGE: &str = "SimulatePrincipalPolicy evaluates only the grant: it ignores the trust policy, even one that it \
                            is given, and reports a role that denies the caller as allowed";

fn tags_too_large(facts: &Facts) -> Finding {
    let fix = Fix::by(Side::Request, facts).step_do(
        "send fewer or shorter session tags, or none: disableSessionTags for the association of EKS Pod Identity, \
         role-skip-session-tagging: true for configure-aws-credentials",
    );
    Finding::new(Cause::SessionTagsTooLarge, "the session tags, with those that the session inherits, are too large")
        .fact("AWS packs sent and inherited session tags into one token; those of EKS Pod Identity fill most of it")
        .fix(fix)
}

fn reserved_role(facts: &Facts, message: &str) -> Finding {
    let role = quoted(message).unwrap_or("the role");
    if set_of_role(role).is_some() {
        let set = set(facts, message);
        let fix = Fix::by(Side::IdentityCenter, facts).step_do(format!(
            "put the grant into {set}, as its inline policy or as a reference to a managed policy, and provision the set: \
             xacct bootstrap --principal permission-set/NAME prints it"
        ));
        let what =
            format!("{role} is the role that IAM Identity Center reserves for {set}, and IAM refuses to change it");
        return Finding::new(Cause::ReservedRole, what).fix(fix);
    }
    let fix = Fix::by(Side::Source, facts).step_do("give the grant to another role");
    Finding::new(Cause::ReservedRole, format!("only AWS may change {role}, the role of a service"))
        .on(Side::Source)
        .fix(fix)
}

fn policy_in_use(facts: &Facts) -> Finding {
    let finding = Finding::new(Cause::PolicyInUse, "the managed policy is still attached").fact(
        "IAM lists what it is attached to, also as a permissions boundary: aws iam list-entities-for-policy --policy-arn ARN",
    );
    if matches!(facts.link.of_link(), PrincipalRef::PermissionSet(_)) {
        let (set, account) = (set(facts, ""), facts.source_account());
        let fix = Fix::by(Side::IdentityCenter, facts).step_do(format!(
            "remove the reference from {set} and provision it in account {account}; then delete the policy"
        ));
        let what = format!("the managed policy is still attached, because {set} refers to it");
        return Finding { summary: what, ..finding }.on(Side::IdentityCenter).fix(fix);
    }
    finding.fix(Fix::by(Side::Source, facts).step_do(
        "detach the policy first; if it is attached to a role AWSReservedSSO_…, remove the reference from the permission set, and \
         provision the set",
    ))
}

fn of_identity_center(facts: &Facts, message: &str, cause: Cause) -> Finding {
    let (set, account) = (set(facts, message), facts.source_account());
    let by = |side: Side, step: String| Fix::by(side, facts).step_do(step);
    let administrator = |step: String| by(Side::IdentityCenter, step);
    match cause {
        Cause::PermissionSetOfManagementAccount => {
            let fix = administrator(format!(
                "make the change with credentials of the management account, or use a permission set that is not provisioned there: \
                 a delegated administrator cannot change {set}, whatever its IAM policies allow"
            ));
            let action = between(message, "is not authorized to perform: ", " ").unwrap_or("the action");
            let allow = administrator(format!("if the caller lacks the permission, allow {action}"));
            let what = format!("{set} is also provisioned in the management account");
            Finding::new(cause, what)
                .likely()
                .fact("AWS answers a delegated administrator then as if a permission were missing")
                .fix(fix)
                .fix(allow)
        }
        Cause::PermissionSetBusy => Finding::new(cause, format!("another change of {set} is in progress"))
            .fix(administrator("wait, and send the request again, with growing pauses".to_owned())),
        Cause::PermissionSetPolicyAbsent => {
            let policy =
                message.to_ascii_lowercase().find("not supported policy").and_then(|at| message.get(at + 20..));
            let policy = policy.map(|rest| rest.trim().trim_end_matches('.')).filter(|rest| !rest.is_empty());
            let policy = policy.map_or_else(String::new, |policy| format!(" {policy}"));
            let what = format!("{set} refers to managed policy{policy}, which an account of the set lacks");
            let fix = administrator(format!(
                "create a managed policy of that name and path, in the same case, in every account in which {set} is \
                 provisioned, then provision it again; or remove the reference, and put the grant into the set's inline policy"
            ));
            Finding::new(cause, what).fact("attaching a reference does not check it, only provisioning does").fix(fix)
        }
        Cause::ProvisioningDenied => {
            let action = between(message, "is not authorized to perform: ", " ").unwrap_or("an action of IAM");
            let caller = word(message, "arn:").unwrap_or("the caller");
            let fix = administrator(format!(
                "allow {caller} iam:GetRole, ListRolePolicies, ListAttachedRolePolicies, CreateRole, AttachRolePolicy, \
                 PutRolePolicy, GetSAMLProvider and CreateSAMLProvider"
            ));
            Finding::new(cause, format!("{caller} lacks {action} in its own account"))
                .fact("in the caller's own account IAM Identity Center uses the caller's IAM permissions")
                .fix(fix)
        }
        _ => {
            let fix = administrator("name a user or group that the directory has, by its ID".to_owned());
            let what =
                format!("the directory of IAM Identity Center has no such user or group, so {set} was not assigned");
            Finding::new(cause, what).fact(format!("the assignment is in account {account}")).fix(fix)
        }
    }
}

fn of_policy(facts: &Facts, message: &str, cause: Cause) -> Finding {
    let whose = facts.link.whose();
    let limit = message.rsplit(' ').next().filter(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
    let at_most = |what: &str| limit.map_or_else(String::new, |limit| format!(" of {limit}{what}"));
    let patterns =
        "or name the roles of all targets by one pattern, such as arn:aws:iam::*:role/NAME with aws:ResourceOrgID";
    let (what, step, side) = match cause {
        Cause::TrustPolicyTooLong => (
            format!("the trust policy exceeds its quota{}", at_most(" characters")),
            "shorten the trust policy: trust the source account with conditions instead of listing principals; or have the quota \
             raised"
                .to_owned(),
            Side::Target,
        ),
        Cause::PrincipalInGrant => (
            "the grant has a Principal element, which only trust policies have".to_owned(),
            format!("remove Principal from the grant of {whose}: it belongs into the trust policy of the role"),
            Side::Source,
        ),
        Cause::InlinePoliciesTooLong => {
            let holder = message.rsplit_once(" for ").map_or(whose.as_str(), |(_, holder)| holder);
            (
                format!("the inline policies of {holder} exceed their quota together"),
                format!("move the grant to a managed policy that is attached to {holder}, {patterns}"),
                Side::Source,
            )
        }
        Cause::ManagedPolicyTooLong => (
            format!("the managed policy exceeds its quota{}", at_most(" characters")),
            format!("continue the grant in a further managed policy, {patterns}"),
            Side::Source,
        ),
        Cause::TooManyPolicyVersions => (
            "the managed policy has as many versions as IAM keeps".to_owned(),
            "delete the oldest version that is not the default one, then create the new one".to_owned(),
            Side::Source,
        ),
        Cause::TooManyAttachedPolicies => {
            let kind = between(message, "PoliciesPer", ":").unwrap_or_default().to_ascii_lowercase();
            let kind = if kind.is_empty() { "principal".to_owned() } else { kind };
            (
                format!("the {kind} has as many managed policies as it may{}", limit.map_or_else(String::new, |it| format!(": {it}"))),
                "detach a policy, put the grant into an inline policy, or have the quota raised".to_owned(),
                Side::Source,
            )
        }
        Cause::PolicyNameTaken => {
            let name = between(message, "A policy called ", " already").unwrap_or("this name");
            (
                format!("the account has a managed policy {name} already"),
                "read the policy: if it is the grant, give it a new version; if not, choose another name".to_owned(),
                Side::Source,
            )
        }
        Cause::AccountSuspended => {
            let account = quoted(message).map_or_else(|| "an account".to_owned(), |account| format!("account {account}"));
            (
                format!("IAM Identity Center cannot enter {account}, which is probably suspended"),
                "exclude the account, or have it reactivated; the answer says to try again, and that does not help".to_owned(),
                Side::Organization,
            )
        }
        _ => {
            let arn = word(message, "arn:").unwrap_or("of this ARN");
            (
                format!("the account has no managed policy {arn}"),
                "create the policy first; right after that, wait a moment and attach it again".to_owned(),
                Side::Source,
            )
        }
    };
    Finding::new(cause, what).on(side).fix(Fix::by(side, facts).step_do(step).verify(facts, VerifyWith::Nothing))
}
