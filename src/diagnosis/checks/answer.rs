//! Causes that AWS's answer names by itself.

use crate::diagnosis::cause::{Cause, Side};
use crate::diagnosis::checks::credentials::the_users_own;
use crate::diagnosis::checks::duration::{over_an_hour, over_role_limit};
use crate::diagnosis::checks::mfa::{no_mfa_code, no_mfa_device, wrong_serial};
use crate::diagnosis::checks::region::{region_not_enabled, sts_inactive, wrong_partition};
use crate::diagnosis::checks::unavailable::unavailable;
use crate::diagnosis::denial::DeniedBy;
use crate::diagnosis::facts::{Answer, Facts, Mfa, NotSent};
use crate::diagnosis::finding::Finding;
use crate::diagnosis::fix::{Fix, VerifyWith};
use crate::text::shell::ShellCommand;

/// Returns findings that need only AWS's answer.
pub fn answered(facts: &Facts) -> Vec<Finding> {
    let answer = match &facts.answer {
        Answer::Accepted(_) => return Vec::new(),
        // The finding about the credentials covers it.
        Answer::NotSent(NotSent::NoMfaCode(_) | NotSent::NoMfaDevice(_))
            if facts.caller.is_session && facts.caller.mfa == Mfa::Absent =>
        {
            return Vec::new();
        }
        Answer::NotSent(NotSent::NoMfaCode(why)) => return vec![no_mfa_code(facts, why)],
        Answer::NotSent(NotSent::NoMfaDevice(why)) => return vec![no_mfa_device(facts, why)],
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
        _ if answer.is_denial() => match denied(facts, message) {
            Some(finding) => finding,
            None => return Vec::new(),
        },
        _ => unavailable(facts, answer),
    };
    vec![finding.said(answer)]
}

fn denied(facts: &Facts, message: &str) -> Option<Finding> {
    if message.contains("Roles may not be assumed by root accounts") {
        // The finding about the caller covers it.
        return None;
    }
    if message.contains("invalid MFA one time pass code") {
        let fix = Fix::by(Side::Request, facts)
            .step_do("wait for the next code: each code works once, for 30 seconds")
            .verify(facts, VerifyWith::MfaCode);
        return Some(Finding::new(Cause::MfaCodeWrong, "the MFA code is wrong or was already used").fix(fix));
    }
    if message.contains("verify your MFA serial number") {
        return Some(wrong_serial(facts));
    }
    let (source, target) = (facts.source_account(), &facts.link.role.account);
    let organization = |cause, kind: &str, account: &str, whose: &str| {
        let arn = &facts.link.role;
        let what = format!("a {kind} on account {account} denies sts:AssumeRole for {whose}");
        Finding::new(cause, what).fix(Fix::by(Side::Organization, facts).step_do(format!(
            "exempt sts:AssumeRole on {arn} from the {kind}, or exempt accounts {source} and {target}"
        )))
    };
    Some(match DeniedBy::of(message)? {
        DeniedBy::ServiceControl => {
            organization(Cause::ServiceControlPolicy, "service control policy", &source, "all principals")
        }
        DeniedBy::ResourceControl => organization(
            Cause::ResourceControlPolicy,
            "resource control policy",
            target.as_str(),
            "principals of other accounts",
        ),
        DeniedBy::VpcEndpoint => {
            let what = "the policy of the VPC endpoint for STS denies sts:AssumeRole";
            let fix = Fix::by(Side::Source, facts)
                .step_do(format!("allow sts:AssumeRole on {} in the policy of the VPC endpoint", facts.link.role));
            Finding::new(Cause::VpcEndpointPolicy, what).fix(fix)
        }
        DeniedBy::Session => {
            let what = "the session policy of the credentials does not allow sts:AssumeRole";
            Finding::new(Cause::SessionPolicyCuts, what).fix(the_users_own(facts, VerifyWith::Nothing))
        }
        DeniedBy::Trust | DeniedBy::Identity | DeniedBy::Boundary => return None,
    })
}

fn unknown_credentials(facts: &Facts) -> Finding {
    if let Some(finding) = wrong_partition(facts) {
        return finding;
    }
    if facts.caller.elsewhere.as_ref().is_some_and(|elsewhere| elsewhere.present().is_some()) {
        return region_not_enabled(facts);
    }
    let origin = &facts.caller.origin;
    let finding = if facts.caller.is_session {
        Finding::new(Cause::UnknownCredentials, format!("AWS does not know the session credentials ({origin})"))
            .fact("the session token is malformed or belongs to another access key, or the session's user or role was deleted")
    } else {
        Finding::new(Cause::UnknownCredentials, format!("AWS does not know the access key ({origin})"))
            .fact("the key was deleted, deactivated or mistyped, or it is temporary and its session token is missing")
    };
    let finding = finding.fix(credentials_again(facts));
    match facts.caller.profile_of_user {
        Some(_) => finding.fix(the_users_own(facts, VerifyWith::Nothing)),
        None => finding,
    }
}

fn expired(facts: &Facts) -> Finding {
    let origin = &facts.caller.origin;
    let sign_in = match &facts.caller.profile {
        Some(profile) => {
            let login = ShellCommand::new("aws").args(["sso", "login"]).option("--profile", profile);
            format!("sign in again: {login}, or get new credentials the way you got these")
        }
        None => "sign in again and set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN".to_owned(),
    };
    Finding::new(Cause::ExpiredToken, format!("the credentials ({origin}) have expired"))
        .fix(Fix::by(Side::LocalConfiguration, facts).step_do(sign_in).verify(facts, VerifyWith::Nothing))
}

fn clock(facts: &Facts) -> Finding {
    let fix = Fix::by(Side::LocalConfiguration, facts)
        .run(ShellCommand::new("sudo").args(["timedatectl", "set-ntp", "true"]))
        .verify(facts, VerifyWith::Nothing);
    Finding::new(Cause::ClockSkew, "this machine's clock differs too much from AWS's").fix(fix)
}

fn wrong_secret(facts: &Facts) -> Finding {
    let origin = &facts.caller.origin;
    Finding::new(Cause::WrongSecret, format!("the secret access key does not match the access key ID ({origin})"))
        .fix(credentials_again(facts))
}

/// Sets the credentials again at their origin. `aws configure` asks for no session token.
fn credentials_again(facts: &Facts) -> Fix {
    let fix = Fix::by(Side::LocalConfiguration, facts);
    let fix = match (&facts.caller.profile, facts.caller.is_session) {
        (Some(profile), true) => fix.step_do(format!("renew the session of profile {profile}")),
        (Some(profile), false) => fix
            .step_do("enter the access key ID and the secret access key as AWS issued them:")
            .run(ShellCommand::new("aws").arg("configure").option("--profile", profile)),
        (None, _) => fix
            .step_do("set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN from the same key or session"),
    };
    fix.verify(facts, VerifyWith::Nothing)
}

fn invalid(facts: &Facts, message: &str) -> Finding {
    Finding::new(Cause::InvalidRequest, "the request is malformed")
        .fix(Fix::by(Side::Request, facts).step_do(format!("correct the request: {message}")))
}
