//! From the meaning of an answer, as the table has it, to a finding.

use crate::answers::Meaning;
use crate::diagnosis::cause::{Cause, Side};
use crate::diagnosis::checks::change;
use crate::diagnosis::checks::credentials::the_users_own;
use crate::diagnosis::checks::duration::{over_an_hour, over_role_limit};
use crate::diagnosis::checks::mfa::wrong_serial;
use crate::diagnosis::checks::region::{
    opt_in_session, region_not_enabled, signing_region, sts_inactive, wrong_partition,
};
use crate::diagnosis::checks::s3_answer;
use crate::diagnosis::checks::unavailable::{account_not_ready, unavailable, unknown};
use crate::diagnosis::facts::{Facts, KeyStatus};
use crate::diagnosis::finding::Finding;
use crate::diagnosis::fix::{BootstrapWith, Fix, Half, VerifyWith, aws};
use crate::error::AwsAnswer;
use crate::iam::names::Region;
use crate::iam::state::Reading;
use crate::text::shell::ShellCommand;

/// An answer, and what was asked.
pub struct Asked<'a> {
    /// AWS's answer.
    pub answer: &'a AwsAnswer,
    /// The bucket, if S3 was asked about one.
    pub bucket: Option<&'a str>,
    /// The Region.
    pub region: &'a Region,
}

impl Asked<'_> {
    /// Names the operation and the resource.
    fn words(&self, facts: &Facts) -> String {
        let AwsAnswer { service, operation, .. } = self.answer;
        match (self.bucket, service.as_ref(), operation.as_ref()) {
            (Some(bucket), ..) => format!("{service}:{operation} on bucket {bucket}"),
            (None, _, "AssumeRole") => format!("{service}:{operation} on {}", facts.link.role),
            _ => format!("{service}:{operation}"),
        }
    }
}

/// Returns the finding that the answer implies by itself; `None` if the policies decide.
pub fn meant(facts: &Facts, asked: &Asked<'_>) -> Option<Finding> {
    use Meaning as M;
    let answer = asked.answer;
    let message = answer.message.as_deref().unwrap_or_default();
    if let Some(cause) = answer.row().and_then(|row| row.cause) {
        return Some(change::finding(facts, answer, cause));
    }
    if answer.is_throttled() {
        return Some(unavailable(facts, answer));
    }
    let Some(row) = answer.row() else { return Some(unknown(facts, answer, &asked.words(facts))) };
    Some(match row.meaning {
        // The finding about the caller covers it.
        M::CallerIsRoot => return None,
        M::Denied | M::DeniedByOthers => return None,
        M::MfaCodeWrong => wrong_code(facts),
        M::MfaSerialWrong => wrong_serial(facts),
        M::UnknownKey => unknown_credentials(facts),
        M::MalformedKey => malformed_key(facts),
        M::Unsigned => unsigned(facts),
        M::SessionExpired => expired(facts),
        M::WrongSecret => wrong_secret(facts),
        M::Clock => clock(facts),
        M::SigningRegion => wrong_partition(facts).unwrap_or_else(|| signing_region(facts, asked.region)),
        M::S3Session => match opt_in_session(facts, asked.region, &answer.service) {
            Some(finding) if answer.code.as_deref() == Some("InvalidToken") => finding,
            _ => s3_answer::session(facts),
        },
        M::StsInactive => sts_inactive(facts, message),
        M::AccountNotReady => account_not_ready(facts, answer),
        M::DurationOverRole => over_role_limit(facts),
        M::DurationOverChain => over_an_hour(facts),
        M::Invalid => invalid(facts, message),
        M::Throttled | M::Failed | M::InProgress | M::Unsettled => unavailable(facts, answer),
        M::S3Quota => s3_answer::quota(facts),
        M::S3Region => s3_answer::region(facts, asked.region, message),
        M::S3Tags => s3_answer::tags(facts),
        M::S3Namespace => s3_answer::namespace(facts, asked.region),
        // The test creates a bucket with a random name and deletes it, so none of these is about the link.
        M::Absent | M::Exists | M::Quota | M::InUse | M::Fixed => unknown(facts, answer, &asked.words(facts)),
    })
}

fn wrong_code(facts: &Facts) -> Finding {
    let fix = Fix::by(Side::Request, facts)
        .step_do("wait for the next code: each code works once, for 30 seconds")
        .verify(facts, VerifyWith::MfaCode);
    Finding::new(Cause::MfaCodeWrong, "the MFA code is wrong or was already used").fix(fix)
}

fn unknown_credentials(facts: &Facts) -> Finding {
    if let Some(finding) = wrong_partition(facts) {
        return finding;
    }
    if facts.caller.elsewhere.as_ref().is_some_and(|elsewhere| elsewhere.present().is_some()) {
        // Access keys work wherever their account has enabled the Region; sessions depend on where they were made.
        let session = opt_in_session(facts, &facts.request.region, "sts").filter(|_| facts.caller.is_session);
        return session.unwrap_or_else(|| region_not_enabled(facts));
    }
    let (origin, user) = (&facts.caller.origin, facts.link.whose());
    if facts.source.user == Reading::Absent && facts.link.principal.user().is_some() {
        return user_deleted(facts);
    }
    let key = facts.source.callers_key.as_ref();
    if key.and_then(Reading::present) == Some(&KeyStatus::Inactive) {
        return key_inactive(facts);
    }
    let finding = if facts.caller.is_session {
        Finding::new(Cause::UnknownCredentials, format!("AWS does not know the session credentials ({origin})"))
            .fact("the session token is malformed or belongs to another access key, or the session's user or role was deleted")
    } else {
        let finding = Finding::new(Cause::UnknownCredentials, format!("AWS does not know the access key ({origin})"));
        let finding = match key {
            Some(Reading::Absent) => finding.fact(format!("it is none of the access keys that {user} has now")),
            _ => finding,
        };
        finding
            .fact("the key was deleted, deactivated or mistyped, or it is temporary and its session token is missing")
    };
    let finding = finding.fix(credentials_again(facts));
    match facts.caller.profile_of_user {
        Some(_) => finding.fix(the_users_own(facts, VerifyWith::Nothing)),
        None => finding,
    }
}

/// Somebody may have deactivated the key for a reason, such as a leak, so a new one is a way, too.
fn key_inactive(facts: &Facts) -> Finding {
    let (origin, user) = (&facts.caller.origin, facts.link.principal.name());
    let iam = |operation: &str| aws(&facts.source.operator, "iam", operation).option("--user-name", user);
    let activate = iam("update-access-key").option("--status", "Active").option("--access-key-id", "KEY_ID");
    let activate = Fix::by(Side::Source, facts)
        .step_do("find out who deactivated the key, and why; its ID is in this list:")
        .run(iam("list-access-keys"))
        .step_do(format!("unless it leaked, activate it: {activate}"))
        .verify(facts, VerifyWith::Nothing);
    let replace = Fix::by(Side::Source, facts)
        .step_do("or create another one, and store it in place of this one:")
        .run(iam("create-access-key"))
        .also(credentials_again(facts));
    Finding::new(Cause::AccessKeyInactive, format!("the access key of user {user} ({origin}) is inactive"))
        .fact("AWS answers as if it did not know the key")
        .fix(activate)
        .fix(replace)
}

fn user_deleted(facts: &Facts) -> Finding {
    let (origin, user, file) = (&facts.caller.origin, facts.link.principal.name(), &facts.link.file);
    let iam = |operation: &str| aws(&facts.source.operator, "iam", operation).option("--user-name", user);
    let create = Fix::by(Side::Source, facts)
        .step_do(format!(
            "if the user is to exist, create it again with an access key, and store the key in place of this one; if not, \
             name another one in {file}: user = \"NAME\" under [source]"
        ))
        .run(iam("create-user"))
        .run(iam("create-access-key"))
        .step_do("then write the grant again:")
        .also(Fix::bootstrap(Half::Source, facts, BootstrapWith::Nothing))
        .verify(facts, VerifyWith::Nothing);
    let account = facts.source_account();
    let what = format!("account {account} has no user {user}, and AWS does not know the credentials ({origin})");
    Finding::new(Cause::UserDeleted, what).fact("a deleted user's access keys and sessions are invalid").fix(create)
}

fn malformed_key(facts: &Facts) -> Finding {
    let what = format!(
        "the access key ID ({}) contains a blank, a slash or another character that no access key ID has",
        facts.caller.origin
    );
    Finding::new(Cause::UnknownCredentials, what).fix(credentials_again(facts))
}

fn unsigned(facts: &Facts) -> Finding {
    let what = format!("AWS received the request without credentials ({})", facts.caller.origin);
    Finding::new(Cause::UnknownCredentials, what)
        .fact("the access key is empty, or a proxy removed the Authorization header")
        .fix(credentials_again(facts))
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
