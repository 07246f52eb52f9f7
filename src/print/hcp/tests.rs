use proptest::prelude::*;

use super::*;
use crate::iam::evaluate::{Caller, Context, Decision, Request, resource_policy};
use crate::iam::policy::{Element, Principals};
use crate::iam::templates::trust_hcp;

fn access() -> Access {
    Access {
        target: "dev".to_owned(),
        role: "arn:aws:iam::222222222222:role/xacct".parse().unwrap(),
        region: Some("eu-west-1".parse().unwrap()),
        external_id: None,
        needs_mfa: false,
        session_name: None,
        session_tags: Vec::new(),
        source_identity: None,
        duration: "1h".parse().unwrap(),
        profile: None,
        principals: vec!["user/alice".parse().unwrap()],
    }
}

fn terms() -> HcpTerms {
    workspace("app.terraform.io", "acme", "Default Project", "net").unwrap()
}

/// Evaluates the statement without its principal, as an identity policy, because the evaluator supports only AWS principals.
/// Action and conditions are what distinguishes workspaces. The test below checks the principal.
fn decision(action: &str, audience: &str, subject: &str) -> Decision {
    let mut context = Context::default();
    context.set("app.terraform.io:aud", [audience]);
    context.set("app.terraform.io:sub", [subject]);
    let role = access().role;
    let request = Request {
        principal: Caller::Federated(format!("arn:aws:iam::{}:oidc-provider/app.terraform.io", role.account)),
        action: action.to_owned(),
        resource: role.to_string(),
        context,
    };
    resource_policy(&trust_hcp(&role, &terms()), &request).decision
}

#[test]
fn the_statement_trusts_only_runs_of_the_workspace() {
    const ACTION: &str = "sts:AssumeRoleWithWebIdentity";
    const AUDIENCE: &str = "aws.workload.identity";
    let subject = "organization:acme:project:Default Project:workspace:net:run_phase:";
    for phase in ["plan", "apply"] {
        assert_eq!(decision(ACTION, AUDIENCE, &format!("{subject}{phase}")), Decision::Allowed);
    }
    let plan = format!("{subject}plan");
    for (action, audience, subject) in [
        ("sts:AssumeRole", AUDIENCE, &*plan),
        (ACTION, "sts.amazonaws.com", &plan),
        (ACTION, AUDIENCE, "organization:other:project:Default Project:workspace:net:run_phase:plan"),
        (ACTION, AUDIENCE, "organization:acme:project:other:workspace:net:run_phase:plan"),
        (ACTION, AUDIENCE, "organization:acme:project:Default Project:workspace:network:run_phase:plan"),
        (ACTION, AUDIENCE, ""),
    ] {
        assert_eq!(decision(action, audience, subject), Decision::ImplicitlyDenied, "{action} {audience} {subject}");
    }
    let document = trust_hcp(&access().role, &terms());
    let Some(Element::Is(Principals::Listed(kinds))) = &document.statements.first().unwrap().principal else {
        unreachable!("{document}")
    };
    let provider = "arn:aws:iam::222222222222:oidc-provider/app.terraform.io".to_owned();
    assert_eq!(kinds.iter().collect::<Vec<_>>(), [(&"Federated".to_owned(), &[provider].into())]);
}

#[test]
fn names_that_would_widen_the_pattern_are_refused() {
    for bad in ["", "*", "a*", "a?", "a:b", "a/b", "${x}", "a\nb", " a", "é"] {
        workspace("app.terraform.io", bad, "p", "w").unwrap_err();
        workspace("app.terraform.io", "o", bad, "w").unwrap_err();
        workspace("app.terraform.io", "o", "p", bad).unwrap_err();
    }
    for bad in ["", "localhost", "https://a.b", "a.b/c", "A.b", "a..b", "-a.b", "a.b:443", "*.b"] {
        workspace(bad, "o", "p", "w").unwrap_err();
    }
}

proptest! {
    /// Every line except comments is an assignment that a shell reads correctly.
    #[test]
    fn every_line_is_a_comment_or_an_assignment(path in r"(/[!-~]{1,20})?/", target in any::<String>()) {
        let role: crate::iam::arn::RoleArn = format!("arn:aws:iam::222222222222:role{path}x").parse().unwrap();
        let access = Access { role: role.clone(), target, ..access() };
        let tokens = with_tokens(&access, &terms(), &trust_hcp(&role, &terms()));
        let keys = with_keys(&access, &terms()).unwrap();
        for line in tokens.lines().chain(keys.lines()).filter(|line| !line.starts_with('#')) {
            let (name, value) = line.split_once('=').unwrap();
            prop_assert!(name.starts_with("AWS_") || name.starts_with("TFC_AWS_"), "{}", line);
            if name == "TFC_AWS_RUN_ROLE_ARN" {
                prop_assert_eq!(shlex::split(value).unwrap(), [role.to_string()]);
            }
        }
    }
}
