//! What AWS's answer says by itself.

use crate::diagnosis::checks::credentials::the_users_own;
use crate::diagnosis::facts::{Answer, Facts, Mfa, NotSent};
use crate::diagnosis::fix::{Fix, is_foreign_role, profile_option};
use crate::diagnosis::verdict::{Judged, Layers, Verdict};
use crate::diagnosis::{Cause, Finding, Side};
use crate::error::AwsAnswer;
use crate::iam::arn::CallerArn;
use crate::iam::names::MaxSessionDuration;
use crate::iam::state::Reading;
use crate::text::word;

/// How long a change may take until AWS honours it everywhere. AWS publishes no number; Terraform's provider waits two
/// minutes, and this is more.
const PROPAGATION_SECONDS: u64 = 300;

/// Which kind of policy AWS's message says refused (IAM User Guide, "Troubleshoot access denied error messages").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    ServiceControl,
    ResourceControl,
    VpcEndpoint,
    Session,
    Trust,
    Identity,
    Boundary,
}

impl Tail {
    /// Reads the end of a message; `None` where it says nothing, as is usual between accounts.
    pub fn of(message: &str) -> Option<Self> {
        let message = message.to_ascii_lowercase();
        let kinds = [
            // Last in the message when another policy is evaluated through it, so looked for first.
            ("service control policy", Self::ServiceControl),
            ("resource control policy", Self::ResourceControl),
            ("vpc endpoint policy", Self::VpcEndpoint),
            ("role trust policy", Self::Trust),
            ("identity-based policy", Self::Identity),
            ("permissions boundary", Self::Boundary),
            ("session policy", Self::Session),
            ("sessions policy", Self::Session),
        ];
        let tail = [" because no ", " with an explicit deny in "].iter().find_map(|start| message.split_once(start))?.1;
        kinds.iter().find(|(words, _)| tail.contains(words)).map(|(_, kind)| *kind)
    }
}

/// Findings that need nothing but AWS's answer.
pub fn answered(facts: &Facts) -> Vec<Finding> {
    let answer = match &facts.answer {
        Answer::Accepted(_) => return Vec::new(),
        // What the credentials lack says the same.
        Answer::NotSent(NotSent::NoMfaCode(_)) if facts.caller.is_session && facts.caller.mfa == Mfa::Absent => {
            return Vec::new();
        }
        Answer::NotSent(NotSent::NoMfaCode(why)) => return vec![no_mfa_code(facts, why)],
        Answer::NotSent(_) => return Vec::new(),
        Answer::Refused(answer) => answer,
    };
    let (code, message) = facts.answer.code_and_message();
    let finding = match code {
        "InvalidClientTokenId" | "InvalidAccessKeyId" | "UnrecognizedClientException" | "InvalidToken" => {
            unknown_credentials(facts)
        }
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => expired(facts),
        "RequestTimeTooSkewed" => clock(facts),
        "SignatureDoesNotMatch" | "InvalidSignatureException" => {
            if message.contains("Signature expired") || message.contains("not yet current") {
                clock(facts)
            } else if message.contains("valid region") {
                wrong_partition(facts).unwrap_or_else(|| invalid(facts, message))
            } else {
                wrong_secret(facts)
            }
        }
        "RegionDisabledException" => sts_inactive(facts, message),
        "ValidationError" if message.contains("MaxSessionDuration set for this role") => over_role_limit(facts),
        "ValidationError" if message.contains("session limit for roles assumed by role chaining") => {
            over_an_hour(facts)
        }
        "ValidationError" | "PackedPolicyTooLarge" | "MalformedPolicyDocument" | "MalformedInput" => {
            invalid(facts, message)
        }
        code if is_denial(code) => match denied(facts, message) {
            Some(finding) => finding,
            None => return Vec::new(),
        },
        _ => unavailable(facts, answer),
    };
    vec![said(finding, answer)]
}

/// Whether AWS refused for want of permission, and not for any other reason.
pub fn is_denial(code: &str) -> bool {
    ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"].contains(&code)
}

/// An answer that says nothing about permissions.
pub fn unavailable(facts: &Facts, answer: &AwsAnswer) -> Finding {
    let code = answer.code.as_deref().unwrap_or("an error");
    let what =
        format!("AWS answered {}:{} with {code}, which says nothing about the link", answer.service, answer.operation);
    let fix = Fix::by(Side::Request, facts).step_do("wait a little").verify(facts, "");
    Finding::new(Cause::AwsUnavailable, what).fix(fix)
}

/// AWS's own words, as evidence.
pub fn said(finding: Finding, answer: &AwsAnswer) -> Finding {
    finding.fact(format!("AWS said: {answer}"))
}

fn denied(facts: &Facts, message: &str) -> Option<Finding> {
    if message.contains("Roles may not be assumed by root accounts") {
        // Who the caller is says the same, in more words.
        return None;
    }
    if message.contains("invalid MFA one time pass code") {
        let fix = Fix::by(Side::Request, facts)
            .step_do("wait until the device shows another code; each works once, for half a minute")
            .verify(facts, "--mfa-code CODE");
        return Some(Finding::new(Cause::MfaCodeWrong, "the MFA code is wrong, or was used before").fix(fix));
    }
    if message.contains("verify your MFA serial number") {
        return Some(wrong_serial(facts));
    }
    let (source, target) = (crate::diagnosis::source_account(facts), &facts.link.role.account);
    let organization = |cause, kind: &str, account: &str, whose: &str| {
        let arn = &facts.link.role;
        let what = format!("a {kind} on account {account} refuses it, for {whose}");
        Finding::new(cause, what).fix(
            Fix::by(Side::Organization, facts)
                .step_do(format!("exempt sts:AssumeRole on {arn} in the {kind}, or {source} and {target} from it")),
        )
    };
    let kind = Tail::of(message)?;
    Some(match kind {
        Tail::ServiceControl => {
            organization(Cause::ServiceControlPolicy, "service control policy", &source, "all its principals")
        }
        Tail::ResourceControl => organization(
            Cause::ResourceControlPolicy,
            "resource control policy",
            target.as_str(),
            "principals of other accounts",
        ),
        Tail::VpcEndpoint => {
            let what = "the policy of the VPC endpoint that the calls go through refuses it";
            let fix = Fix::by(Side::Source, facts)
                .step_do(format!("allow sts:AssumeRole on {} in the policy of the STS endpoint", facts.link.role));
            Finding::new(Cause::VpcEndpointPolicy, what).fix(fix)
        }
        Tail::Session => {
            let what = "the policy that the credentials' session was made with does not allow it";
            Finding::new(Cause::SessionPolicyCuts, what).fix(the_users_own(facts, ""))
        }
        Tail::Trust | Tail::Identity | Tail::Boundary => return None,
    })
}

fn no_mfa_code(facts: &Facts, why: &str) -> Finding {
    let user = &facts.link.user;
    if facts.caller.is_session {
        return Finding::new(Cause::SessionWithoutMfa, "MFA cannot be added to the session of the credentials")
            .fact(why)
            .fix(the_users_own(facts, "--mfa-code CODE"));
    }
    let fix = Fix::by(Side::Request, facts);
    // Why there is no code: there is no device to show one, or it is not known which.
    let is_of_device = why.contains("MFA device");
    let fix = if is_of_device { name_device(facts, fix) } else { fix };
    let lacks = if is_of_device { "no device is known that shows a code" } else { "there is no code" };
    Finding::new(Cause::MfaAbsent, format!("the role demands MFA, and {lacks} of user {user}"))
        .fact(why)
        .fix(fix.verify(facts, "--mfa-code CODE"))
}

/// Names the user's device, from now on.
fn name_device(facts: &Facts, fix: Fix) -> Fix {
    let user = &facts.link.user;
    let Some(devices) = facts.source.mfa_devices.present() else {
        let operator = profile_option(&facts.source.operator);
        return fix.step_do(format!(
            "write mfa_serial = ARN into the user's profile; to see it: aws iam list-mfa-devices{operator} \
             --user-name {}",
            word(user.as_str())
        ));
    };
    match (devices.iter().find(|device| !device.contains(":u2f/")), &facts.caller.profile) {
        (Some(device), Some(profile)) => {
            fix.run(format!("aws configure set mfa_serial {} --profile {}", word(device), word(profile)))
        }
        (Some(device), None) => {
            fix.step_do(format!("write the key into a profile with mfa_serial = {device}, and name it as user_profile"))
        }
        (None, _) => fix.step_do(format!(
            "add a virtual MFA device (an authenticator app) to user {user}, and write its ARN as mfa_serial into the \
             user's profile; FIDO keys do not work with the API"
        )),
    }
}

fn wrong_serial(facts: &Facts) -> Finding {
    let user = &facts.link.user;
    let mut finding =
        Finding::new(Cause::MfaSerialWrong, format!("the MFA device that was named is not one of user {user}"));
    let devices = facts.source.mfa_devices.present().map(Vec::as_slice).unwrap_or_default();
    if !devices.is_empty() {
        finding = finding.fact(format!("user {user} has {}", devices.join(", ")));
    }
    let fix = name_device(facts, Fix::by(Side::LocalConfiguration, facts));
    finding.fix(fix.verify(facts, "--mfa-code CODE"))
}

fn unknown_credentials(facts: &Facts) -> Finding {
    if let Some(finding) = wrong_partition(facts) {
        return finding;
    }
    if facts.caller.elsewhere.as_ref().is_some_and(|elsewhere| elsewhere.present().is_some()) {
        let (region, account) = (&facts.request.region, crate::diagnosis::source_account(facts));
        let first = region.partition().default_region();
        let what = format!("account {account} has not enabled region {region}, so its credentials are unknown there");
        let enable = Fix::by(Side::Source, facts)
            .run(format!("aws account enable-region{} --region-name {region}", profile_option(&facts.source.operator)))
            .step_do("wait until it is enabled, which takes minutes");
        return Finding::new(Cause::RegionNotEnabled, what)
            .fact(format!("the same credentials are accepted in {first}"))
            .fix(another_region(facts, first))
            .fix(enable);
    }
    let origin = &facts.caller.origin;
    let finding = if facts.caller.is_session {
        Finding::new(Cause::UnknownCredentials, format!("AWS does not know the session of the credentials ({origin})"))
            .fact("its token is malformed or belongs to another key, or the role or user of the session was deleted")
    } else {
        Finding::new(
            Cause::UnknownCredentials,
            format!("AWS does not know the access key of the credentials ({origin})"),
        )
        .fact("it was deleted or deactivated, mistyped, or is a temporary one whose session token is missing")
    };
    let finding = finding.fix(credentials_again(facts));
    match facts.caller.profile_of_user {
        Some(_) => finding.fix(the_users_own(facts, "")),
        None => finding,
    }
}

/// Credentials work in their own partition only, and a region belongs to one.
fn wrong_partition(facts: &Facts) -> Option<Finding> {
    let identities =
        [facts.caller.elsewhere.as_ref(), Some(&facts.source.operator.identity), Some(&facts.target.operator.identity)];
    let known = identities.into_iter().flatten().find_map(Reading::present)?;
    let region = &facts.request.region;
    let (here, there) = (known.partition()?, region.partition());
    if here == there {
        return None;
    }
    let what = format!("region {region} is of partition {there}, and the accounts are in partition {here}");
    Some(
        Finding::new(Cause::WrongPartition, what)
            .fact(format!("AWS knows {known}"))
            .fix(another_region(facts, here.default_region())),
    )
}

/// Goes to this region from now on.
fn another_region(facts: &Facts, region: &str) -> Fix {
    Fix::by(Side::LocalConfiguration, facts).write(facts, "region", region).verify(facts, "")
}

fn expired(facts: &Facts) -> Finding {
    let origin = &facts.caller.origin;
    let sign_in = match &facts.caller.profile {
        Some(profile) => {
            format!("sign in again: aws sso login --profile {}, or as these credentials are made", word(profile))
        }
        None => "sign in again, and set the three AWS_… variables anew".to_owned(),
    };
    Finding::new(Cause::ExpiredToken, format!("the session of the credentials ({origin}) has expired"))
        .fix(Fix::by(Side::LocalConfiguration, facts).step_do(sign_in).verify(facts, ""))
}

fn clock(facts: &Facts) -> Finding {
    let fix = Fix::by(Side::LocalConfiguration, facts).run("sudo timedatectl set-ntp true").verify(facts, "");
    Finding::new(Cause::ClockSkew, "this machine's clock differs too much from AWS's").fix(fix)
}

fn wrong_secret(facts: &Facts) -> Finding {
    let origin = &facts.caller.origin;
    Finding::new(
        Cause::WrongSecret,
        format!("the secret does not belong to the access key of the credentials ({origin})"),
    )
    .fix(credentials_again(facts))
}

/// Writes the credentials once more, where they come from. `aws configure` asks for no session token.
fn credentials_again(facts: &Facts) -> Fix {
    let fix = Fix::by(Side::LocalConfiguration, facts);
    let fix = match (&facts.caller.profile, facts.caller.is_session) {
        (Some(profile), true) => fix.step_do(format!("make the session of profile {profile} again, as it was made")),
        (Some(profile), false) => fix
            .step_do("write key and secret as they were when they were made:")
            .run(format!("aws configure --profile {}", word(profile))),
        (None, _) => fix
            .step_do("set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, all from one session or key"),
    };
    fix.verify(facts, "")
}

fn sts_inactive(facts: &Facts, message: &str) -> Finding {
    let (region, source) = (&facts.request.region, crate::diagnosis::source_account(facts));
    let first = region.partition().default_region();
    // AssumeRole goes by the account of the role, GetSessionToken by that of the user.
    let (side, account, operator) = if message.contains(&format!("account:{source}")) {
        (Side::Source, source, &facts.source.operator)
    } else {
        (Side::Target, facts.link.role.account.to_string(), &facts.target.operator)
    };
    let activate = Fix::by(side, facts);
    let activate = if region.is_opt_in() {
        activate.run(format!("aws account enable-region{} --region-name {region}", profile_option(operator)))
    } else {
        activate
    };
    let activate = activate
        .step_do(format!("activate STS for {region} in the IAM console, Account settings, of account {account}"));
    Finding::new(Cause::StsInactive, format!("STS is not active in region {region} for account {account}"))
        .on(side)
        .fix(another_region(facts, first))
        .fix(activate)
}

/// What AWS would refuse next, once what it refused is mended: it looks at the length of a session last.
pub fn foreseen(facts: &Facts, findings: &[Finding]) -> Vec<Finding> {
    let wanted = facts.request.duration_seconds.unwrap_or(3600);
    let limit = facts.target.role.present().map(|role| role.max_session_seconds);
    let is_chained = matches!(facts.caller.identity.present(), Some(CallerArn::AssumedRole { .. }));
    let is_new = |cause| findings.iter().all(|finding| finding.cause != cause);
    let mut foreseen = Vec::new();
    if limit.is_some_and(|limit| wanted > limit) && is_new(Cause::DurationOverRoleLimit) {
        foreseen.push(over_role_limit(facts));
    }
    if is_chained && wanted > 3600 && is_new(Cause::DurationOverChainingLimit) {
        foreseen.push(over_an_hour(facts));
    }
    foreseen
}

fn over_role_limit(facts: &Facts) -> Finding {
    let wanted = facts.request.duration_seconds.unwrap_or(3600);
    let limit = facts.target.role.present().map(|role| role.max_session_seconds);
    let hours =
        |seconds| MaxSessionDuration::from_secs(seconds).map_or_else(|_| format!("{seconds}s"), |it| it.to_string());
    let allowed = limit.map_or_else(String::new, |limit| format!(" of {}", hours(limit)));
    let what = format!("a session of {} was asked for, and the role's limit{allowed} is shorter", hours(wanted));
    let mut finding = Finding::new(Cause::DurationOverRoleLimit, what);
    if let Some(limit) = limit {
        finding = finding.fact(format!("MaxSessionDuration of role {} is {limit}", facts.link.role.name));
    }
    let lengthen = Fix::bootstrap(facts, &format!("--max-session-duration {}", hours(wanted)));
    let shorten = Fix::by(Side::Request, facts).step_do(match limit {
        Some(limit) => format!("ask for {} at most", hours(limit)),
        None => "ask for a shorter session".to_owned(),
    });
    // To adopt a role is more than to lengthen its sessions.
    if is_foreign_role(facts) { finding.fix(shorten).fix(lengthen) } else { finding.fix(lengthen).fix(shorten) }
}

fn over_an_hour(facts: &Facts) -> Finding {
    let what = "a session of more than an hour was asked for with the session of another role";
    Finding::new(Cause::DurationOverChainingLimit, what)
        .fact("roles that are assumed with the session of another give an hour at most (role chaining)")
        .fix(the_users_own(facts, ""))
        .fix(Fix::by(Side::Request, facts).step_do("ask for an hour at most"))
}

fn invalid(facts: &Facts, message: &str) -> Finding {
    Finding::new(Cause::InvalidRequest, "the request has not the form that AWS demands")
        .fix(Fix::by(Side::Request, facts).step_do(format!("change what AWS names: {message}")))
}

/// Everything allows it, and something of it was made a moment ago.
pub fn propagating(facts: &Facts, layers: &Layers<'_>) -> Option<Finding> {
    let is_allowed = |judged: &Judged<'_>| matches!(judged.verdict(), Verdict::Allowed | Verdict::AllowedAsFarAsRead);
    let of_role = facts.target.role.present().and_then(|role| role.age_seconds);
    let ago =
        [facts.written_seconds_ago, of_role].into_iter().flatten().min().filter(|ago| *ago <= PROPAGATION_SECONDS)?;
    if !layers.all().all(is_allowed) || facts.caller.mfa == Mfa::Unknown && facts.link.require_mfa {
        return None;
    }
    let what =
        format!("both halves allow it, but the link was made {ago} s ago, and AWS may not honour it everywhere yet");
    let fix = Fix::by(Side::Request, facts).step_do("wait a minute").verify(facts, "");
    Some(
        Finding::new(Cause::Propagating, what)
            .likely()
            .fact("changes of IAM take seconds, at times minutes, to be honoured everywhere (IAM User Guide)")
            .fix(fix),
    )
}
