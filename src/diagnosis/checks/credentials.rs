//! Causes in the caller's credentials.

use crate::diagnosis::cause::{Cause, Side};
use crate::diagnosis::facts::{Answer, Facts, Mfa, NotSent};
use crate::diagnosis::finding::Finding;
use crate::diagnosis::fix::{Fix, VerifyWith};
use crate::environment::Machine;
use crate::iam::arn::{CallerArn, PrincipalRef};
use crate::text::shell::ShellCommand;

/// Returns what is wrong with the credentials, judged by their owner.
pub fn findings(facts: &Facts) -> Vec<Finding> {
    let user = facts.link.whose();
    let origin = &facts.caller.origin;
    if facts.is_evaluated() {
        return Vec::new();
    }
    if let Answer::NotSent(NotSent::NoCredentials(why)) = &facts.answer {
        return vec![
            Finding::new(Cause::NoCredentials, format!("no credentials found for {user}"))
                .fact(why)
                .fix(the_users_own(facts, VerifyWith::Nothing)),
        ];
    }
    let Some(identity) = facts.caller.identity.present() else {
        // A role may be this machine's.
        let may_be_right = facts.caller.machine.is_some() && facts.link.principal.acts_as_role();
        return hidden(facts).filter(|_| !may_be_right).into_iter().collect();
    };
    let cause = match identity {
        identity if facts.link.principal.is(identity) && is_of_source(facts, identity) && !is_outsider(facts) => {
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
            format!("the credentials ({origin}) do not belong to {user}, the principal of the link")
        }
        _ => {
            let all: Vec<_> = facts.link.principals().map(|it| it.owner_in_words().replace('`', "")).collect();
            format!("the credentials ({origin}) do not belong to {}, the principals of the link", all.join(" or "))
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

/// Returns whether the credentials are those of a user outside the group with the grant, so that nothing was tried.
fn is_outsider(facts: &Facts) -> bool {
    matches!(facts.link.through, Some(PrincipalRef::Group(_)))
        && matches!(facts.answer, Answer::NotSent(NotSent::NotTheUsers))
}

fn is_of_source(facts: &Facts, identity: &CallerArn) -> bool {
    facts.link.source_account.as_ref().is_none_or(|source| identity.account() == Some(source))
}

/// Variables with keys win over `AWS_PROFILE` (AWS SDKs and Tools Reference Guide, credential provider chain).
fn hidden(facts: &Facts) -> Option<Finding> {
    if let Some(machine) = facts.caller.machine {
        return Some(of_machine(facts, machine));
    }
    let profile = facts.caller.hidden_profile.as_ref()?;
    let fix = Fix::by(Side::LocalConfiguration, facts)
        .run(ShellCommand::new("unset").args(["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]))
        .verify(facts, VerifyWith::Nothing);
    let summary = format!("AWS_ACCESS_KEY_ID in the environment overrides profile {profile} from AWS_PROFILE");
    Some(Finding::new(Cause::EnvironmentHidesProfile, summary).fix(fix))
}

/// The credentials of the machine come last in the chain: no profile has any (AWS SDKs and Tools Reference Guide, credential
/// provider chain).
fn of_machine(facts: &Facts, machine: Machine) -> Finding {
    let (user, file) = (facts.link.of_link().owner_in_words().replace('`', ""), &facts.link.file);
    let (what, how) = match machine {
        Machine::Instance => ("the instance profile of this EC2 instance", "the metadata service of the instance"),
        Machine::Container => (
            "the role of this container",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI or AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        ),
        Machine::WebIdentity => ("the role of this pod or runner", "AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN"),
    };
    let fix = Fix::by(Side::LocalConfiguration, facts);
    let fix = match (&facts.caller.hidden_profile, &facts.caller.profile_of_user) {
        (Some(profile), _) => fix.step_do(format!("give profile {profile} credentials of {user}, or sign in with it")),
        (None, Some(profile)) => fix.write_source(facts, "user_profile", profile),
        (None, None) => fix.step_do(format!(
            "name a profile with credentials of {user}: user_profile under [source] in {file}, or --user-profile NAME"
        )),
    };
    let summary = match &facts.caller.hidden_profile {
        Some(profile) => format!("the credentials are those of {what}, because profile {profile} has none"),
        None => format!("the credentials are those of {what}, because no profile is named"),
    };
    let declare = Fix::by(Side::LocalConfiguration, facts).step_do(
        "if this machine is to use the link, give its role the link: xacct bootstrap --principal role/PATH/NAME",
    );
    Finding::new(Cause::MachineRoleHidesProfile, summary)
        .fact(format!("they come from {how}"))
        .fix(fix.verify(facts, VerifyWith::Nothing))
        .fix(declare)
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
    if let (PrincipalRef::Role(_), None) = (facts.link.of_link(), &facts.caller.profile_of_user) {
        return extra(fix.step_do(format!(
            "use a session of {user} itself: run the command where the role is (instance, container, runner), or set user_profile \
             under [source] in {} to a profile of the role",
            facts.link.file
        )))
        .verify(facts, with);
    }
    if let Some(group @ PrincipalRef::Group(_)) = &facts.link.through {
        let member = group.owner_in_words().replace('`', "");
        return extra(fix.step_do(format!(
            "name a profile of {member}: user_profile under [source] in {}, or --user-profile NAME",
            facts.link.file
        )))
        .verify(facts, with);
    }
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
