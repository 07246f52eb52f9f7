//! MFA that a policy requires and the request lacks.

use crate::diagnosis::cause::{Cause, Side};
use crate::diagnosis::checks::credentials::{the_users_own, the_users_own_but};
use crate::diagnosis::facts::{Facts, Mfa};
use crate::diagnosis::finding::Finding;
use crate::diagnosis::fix::{Fix, VerifyWith, aws};
use crate::diagnosis::statement::StatementRef;
use crate::text::shell::ShellCommand;

/// Returns the finding for a user whose MFA device is known and who gave no code.
pub fn no_mfa_code(facts: &Facts, why: &str) -> Finding {
    not_sent(facts, why, "has no MFA code", |fix| fix)
}

/// Returns the finding for a user without a known MFA device that generates codes.
pub fn no_mfa_device(facts: &Facts, why: &str) -> Finding {
    not_sent(facts, why, "found no code-generating MFA device", |fix| name_device(facts, fix))
}

fn not_sent(facts: &Facts, why: &str, lacks: &str, repair: impl Fn(Fix) -> Fix) -> Finding {
    if facts.caller.is_session {
        let what = format!(
            "the credentials ({}) belong to an existing session, which MFA cannot be added to",
            facts.caller.origin
        );
        return Finding::new(Cause::SessionWithoutMfa, what).fact(why).fix(the_users_own(facts, VerifyWith::MfaCode));
    }
    let what = format!("role {} requires MFA, but xacct {lacks} of {}", facts.link.role.name, facts.link.whose());
    let fix = repair(Fix::by(Side::Request, facts)).verify(facts, VerifyWith::MfaCode);
    Finding::new(Cause::MfaAbsent, what).fact(why).fix(fix)
}

/// Names the user's device from now on.
fn name_device(facts: &Facts, fix: Fix) -> Fix {
    let Some(devices) = facts.source.mfa_devices.present() else {
        let list =
            aws(&facts.source.operator, "iam", "list-mfa-devices").option("--user-name", facts.link.principal.name());
        return fix.step_do(format!("set mfa_serial = ARN in the user's profile; to see the ARN: {list}"));
    };
    match (devices.iter().find(|device| !device.contains(":u2f/")), &facts.caller.profile) {
        (Some(device), Some(profile)) => {
            let set = ShellCommand::new("aws").args(["configure", "set", "mfa_serial", device]);
            fix.run(set.option("--profile", profile))
        }
        (Some(device), None) => fix.step_do(format!(
            "store the access key in a profile with mfa_serial = {device}, and set user_profile to its name"
        )),
        (None, _) => fix.step_do(format!(
            "add a virtual MFA device (an authenticator app) to {}, and set mfa_serial to its ARN in the \
             user's profile; FIDO keys do not work with the AWS API",
            facts.link.whose()
        )),
    }
}

pub fn wrong_serial(facts: &Facts) -> Finding {
    let user = facts.link.whose();
    let mut finding =
        Finding::new(Cause::MfaSerialWrong, format!("the MFA device in the request does not belong to {user}"));
    let devices = facts.source.mfa_devices.present().map(Vec::as_slice).unwrap_or_default();
    if !devices.is_empty() {
        finding = finding.fact(format!("MFA devices of {user}: {}", devices.join(", ")));
    }
    let fix = name_device(facts, Fix::by(Side::LocalConfiguration, facts));
    finding.fix(fix.verify(facts, VerifyWith::MfaCode))
}

/// Returns whether a denial would not apply to a request with MFA.
pub fn needs_mfa(facts: &Facts, place: &StatementRef<'_>) -> bool {
    facts.caller.mfa == Mfa::Absent && !place.marks_of_key("aws:multifactorauth").is_empty()
}

/// Returns the finding for a request that lacks the required MFA.
pub fn mfa_absent(facts: &Facts, what: String) -> Finding {
    if facts.caller.is_session {
        return Finding::new(Cause::SessionWithoutMfa, what)
            .fact("MFA cannot be added to an existing session: use the user's access key and an MFA code")
            .fix(with_mfa_from_now_on(facts));
    }
    let finding = Finding::new(Cause::MfaAbsent, what);
    let fix = Fix::by(Side::Request, facts);
    let fix = if facts.link.require_mfa { fix } else { fix.write_value(facts, "require_mfa", "true") };
    finding.fix(fix.verify(facts, VerifyWith::MfaCode))
}

/// Uses the user's access key and an MFA code instead of a session.
pub fn with_mfa_from_now_on(facts: &Facts) -> Fix {
    let require = |fix: Fix| if facts.link.require_mfa { fix } else { fix.write_value(facts, "require_mfa", "true") };
    the_users_own_but(facts, VerifyWith::MfaCode, require)
}

/// Merges all findings about MFA into the first: one code satisfies every policy that requires MFA.
pub fn merge(findings: &mut Vec<Finding>) {
    use Cause as C;
    let is_mfa = |finding: &Finding| {
        matches!(finding.cause, C::MfaAbsent | C::MfaCodeWrong | C::MfaSerialWrong | C::SessionWithoutMfa)
    };
    let Some(first) = findings.iter().position(is_mfa) else { return };
    let (mut merged, mut index) = (Vec::new(), 0);
    findings.retain(|finding| {
        let is_another = index > first && matches!(finding.cause, C::MfaAbsent | C::SessionWithoutMfa);
        index += 1;
        if is_another {
            merged.extend(finding.evidence.clone());
        }
        !is_another
    });
    if let Some(first) = findings.get_mut(first) {
        first.evidence.extend(merged);
    }
}
