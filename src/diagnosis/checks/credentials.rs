//! Causes in the caller's credentials.

use crate::diagnosis::cause::{Cause, Side};
use crate::diagnosis::facts::{Answer, Facts, Mfa, NotSent};
use crate::diagnosis::finding::Finding;
use crate::diagnosis::fix::{Fix, VerifyWith};
use crate::iam::arn::{CallerArn, PrincipalRef};
use crate::text::shell::ShellCommand;

/// Returns what is wrong with the credentials, judged by their owner.
pub fn findings(facts: &Facts) -> Vec<Finding> {
    let user = facts.link.whose();
    let origin = &facts.caller.origin;
    if let Answer::NotSent(NotSent::NoCredentials(why)) = &facts.answer {
        return vec![
            Finding::new(Cause::NoCredentials, format!("no credentials found for {user}"))
                .fact(why)
                .fix(the_users_own(facts, VerifyWith::Nothing)),
        ];
    }
    let Some(identity) = facts.caller.identity.present() else {
        return hidden(facts).into_iter().collect();
    };
    let cause = match identity {
        identity if facts.link.principal.is(identity) && is_of_source(facts, identity) => {
            return without_mfa(facts).into_iter().collect();
        }
        _ => {
            if let Some(hidden) = hidden(facts) {
                return vec![hidden.fact(format!("the credentials belong to {identity}"))];
            }
            match identity {
                CallerArn::Root { .. } => Cause::CallerIsRoot,
                session if session.is_of(&facts.link.role) => Cause::CallerIsTheRole,
                CallerArn::AssumedRole { .. } => Cause::CallerIsRoleSession,
                CallerArn::FederatedUser { .. } => Cause::CallerIsFederated,
                CallerArn::User(_) | CallerArn::Other(_) => Cause::CallerIsAnotherUser,
            }
        }
    };
    let summary = match cause {
        Cause::CallerIsRoot => format!("the credentials ({origin}) belong to the root user, who cannot assume roles"),
        Cause::CallerIsRoleSession => {
            format!("the credentials ({origin}) belong to a role session, but the link is for {user}")
        }
        Cause::CallerIsTheRole => format!(
            "the credentials ({origin}) belong to a session of role {} itself, and a role cannot assume itself",
            facts.link.role.name
        ),
        Cause::CallerIsFederated => {
            format!("the credentials ({origin}) belong to a federated user, who cannot assume roles")
        }
        _ if facts.link.other_principals.is_empty() => {
            let user = facts.link.of_link().owner_in_words().replace('`', "");
            let who = if matches!(facts.link.of_link(), PrincipalRef::Group(_)) { "which" } else { "who" };
            format!("the credentials ({origin}) do not belong to {user}, {who} has the grant")
        }
        _ => {
            let all: Vec<_> = facts.link.principals().map(|it| it.owner_in_words().replace('`', "")).collect();
            format!("the credentials ({origin}) do not belong to {}, who have the grant", all.join(" or "))
        }
    };
    let mut finding = Finding::new(cause, summary).fact(format!("the credentials belong to {identity}"));
    if cause == Cause::CallerIsRoleSession {
        finding =
            finding.fact("role chaining limits a session to one hour, and MFA does not carry over to the second role");
    }
    if cause == Cause::CallerIsTheRole {
        finding = finding.fact(
            "use either xacct exec or a profile of the role, or settings that assume it, such as a provider block, not both",
        );
    }
    vec![finding.fix(the_users_own(facts, VerifyWith::Nothing))]
}

fn is_of_source(facts: &Facts, identity: &CallerArn) -> bool {
    facts.link.source_account.as_ref().is_none_or(|source| identity.account() == Some(source))
}

/// Variables with keys win over `AWS_PROFILE` (AWS SDKs and Tools Reference Guide, credential provider chain).
fn hidden(facts: &Facts) -> Option<Finding> {
    let profile = facts.caller.hidden_profile.as_ref()?;
    let fix = Fix::by(Side::LocalConfiguration, facts)
        .run(ShellCommand::new("unset").args(["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]))
        .verify(facts, VerifyWith::Nothing);
    let summary = format!("AWS_ACCESS_KEY_ID in the environment overrides profile {profile} from AWS_PROFILE");
    Some(Finding::new(Cause::EnvironmentHidesProfile, summary).fix(fix))
}

/// Returns the finding about a session from GetSessionToken without MFA, which cannot be added afterwards.
fn without_mfa(facts: &Facts) -> Option<Finding> {
    if !(facts.caller.is_session && facts.caller.mfa == Mfa::Absent && facts.link.require_mfa) {
        return None;
    }
    let summary = format!(
        "the credentials ({}) belong to a session without MFA, but role {} requires MFA",
        facts.caller.origin, facts.link.role.name
    );
    Some(
        Finding::new(Cause::SessionWithoutMfa, summary)
            .fact("MFA cannot be added to an existing session: use the user's access key and an MFA code")
            .fix(the_users_own(facts, VerifyWith::MfaCode)),
    )
}

/// Uses the user's own credentials from now on: those of the profile named after the user.
pub fn the_users_own(facts: &Facts, with: VerifyWith) -> Fix {
    the_users_own_but(facts, with, |fix| fix)
}

/// Does the same as [`the_users_own`], with `extra` steps before the test.
pub fn the_users_own_but(facts: &Facts, with: VerifyWith, extra: impl Fn(Fix) -> Fix) -> Fix {
    let user = facts.link.principal.owner_in_words().replace('`', "");
    let fix = Fix::by(Side::LocalConfiguration, facts);
    if facts.caller.is_user_in_environment {
        return extra(fix).verify_from_environment(facts, with);
    }
    let fix = match facts.caller.profile_of_user {
        Some(_) => fix,
        None if matches!(facts.link.of_link(), PrincipalRef::PermissionSet(_)) => fix
            .step_do(format!("sign in with {} in account {}:", facts.link.whose(), facts.source_account()))
            .run(ShellCommand::new("aws").args(["configure", "sso"]).option("--profile", facts.link.of_link().name())),
        None => fix
            .step_do(format!("store an access key of {user} in a profile:"))
            .run(ShellCommand::new("aws").arg("configure").option("--profile", facts.link.principal.name())),
    };
    let profile = match facts.link.of_link() {
        set @ PrincipalRef::PermissionSet(_) => set.name(),
        _ => facts.link.principal.name(),
    };
    extra(fix.write_source(facts, "user_profile", profile)).verify(facts, with)
}
