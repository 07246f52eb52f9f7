//! What the cases in `tests/cases/admission` cannot show.

mod cases;

use std::collections::BTreeSet;

use super::*;
use crate::iam::arn::{PrincipalArn, PrincipalRef, RoleArn};
use crate::iam::policy::PolicyDocument;
use crate::iam::templates::{TrustTerms, trust};

fn role() -> RoleArn {
    "arn:aws:iam::222222222222:role/app".parse().unwrap()
}

fn terms() -> TrustTerms {
    TrustTerms {
        partition: "aws".parse().unwrap(),
        source: "111111111111".parse().unwrap(),
        external_ids: vec!["abcdef".parse().unwrap()],
        require_mfa: true,
        only: BTreeSet::new(),
        session_tags: true,
    }
}

fn with_account(principal: &PrincipalArn) -> PrincipalRef {
    principal.to_string().parse().unwrap()
}

fn declared(terms: &TrustTerms) -> Declared {
    Declared {
        source: terms.source.clone(),
        only: terms.only.iter().map(with_account).collect(),
        statements: PolicyDocument { version: None, id: None, statements: Vec::new() },
        accepted: Vec::new(),
    }
}

#[test]
fn the_trust_policies_of_links_admit_whom_they_declare() {
    let users = ["arn:aws:iam::111111111111:user/bob", "arn:aws:iam::111111111111:user/team/alice"];
    let deployer = ["arn:aws:iam::111111111111:role/ci/terraform"];
    for only in [&[][..], &users[1..], &users, &deployer] {
        let terms = TrustTerms { only: only.iter().map(|arn| arn.parse().unwrap()).collect(), ..terms() };
        let admitted = of_trust(&trust(&terms), &role());
        let who: Vec<_> = admitted.iter().map(|one| one.who.to_string()).collect();
        assert_eq!(who, if only.is_empty() { vec!["account 111111111111"] } else { only.to_vec() });
        for one in &admitted {
            assert_eq!((one.needs, &one.undecided), (Needs { external_id: true, mfa: true }, &None));
            assert_eq!(declared(&terms).standing(one, &role()), Standing::Declared);
        }
    }
}

fn accept(who: &str) -> Accepted {
    Accepted { who: who.to_owned(), reason: "wanted".to_owned() }
}

fn everybody() -> Vec<Who> {
    let texts = [
        "everyone",
        "account 999999999999",
        "account 999999999999 (aws:PrincipalArn arn:aws:iam::999999999999:role/ci-*)",
        "arn:aws:iam::999999999999:role/team/ci",
        "arn:aws:sts::999999999999:assumed-role/ci/run-1",
        "organization o-a1b2c3d4e5",
        "organization o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/*",
        "organization of the role's account",
        "service ec2.amazonaws.com",
        "service backup.amazonaws.com for aws:SourceAccount 999999999999",
        "any token of accounts.google.com",
        "tokens of arn:aws:iam::222222222222:oidc-provider/gitlab.com for project_path:a/b:*, project_path:c/*",
        "users of arn:aws:iam::222222222222:saml-provider/okta",
    ];
    texts.into_iter().map(|text| text.parse().unwrap_or_else(|error| panic!("{error}"))).collect()
}

#[test]
fn a_class_is_parsed_as_it_is_written() {
    for who in everybody() {
        assert_eq!(who.to_string().parse(), Ok(who));
    }
    for (short, long) in [
        ("*", "everyone"),
        ("999999999999", "account 999999999999"),
        ("arn:aws:iam::999999999999:root", "account 999999999999"),
        ("o-a1b2c3d4e5", "organization o-a1b2c3d4e5"),
        ("ec2.amazonaws.com", "service ec2.amazonaws.com"),
        ("arn:aws:iam::222222222222:oidc-provider/h", "any token of arn:aws:iam::222222222222:oidc-provider/h"),
        ("arn:aws:iam::222222222222:saml-provider/okta", "users of arn:aws:iam::222222222222:saml-provider/okta"),
    ] {
        assert_eq!(short.parse::<Who>().unwrap().to_string(), long);
    }
}

#[test]
fn what_is_no_class_is_refused_with_a_fix() {
    for (text, rule) in [
        ("", "is empty"),
        (" everyone", "begins or ends with whitespace"),
        ("somebody", "has none of the forms that xacct prints"),
        ("account 1234", "has 4 characters, exactly 12 are required"),
        ("organization acme", "is not the ID of an organization, or a path that begins with one"),
        ("tokens of gitlab.com", "does not say which tokens"),
        ("arn:aws:iam::999999999999:role/ci-*", "is not the ARN of one user, role or session"),
        ("arn:aws:s3:::bucket", "is not the ARN of one user, role or session"),
        ("AROAEXAMPLEOTHER00001", "is the unique ID of a principal"),
        ("nobody (deleted principal AROAEXAMPLEOTHER00001)", "is nobody"),
    ] {
        let error = accept(text).parsed().expect_err(text);
        assert_eq!(error.rule, rule, "{text}");
        assert!(!error.fix.is_empty());
    }
}

#[test]
fn an_accepted_class_covers_its_parts_and_nothing_else() {
    let is_covered = |wide: &Who, who: &Who| match wide {
        Who::Everyone => true,
        Who::Account(_) => who.to_string().contains("999999999999") && !matches!(who, Who::ServiceFor { .. }),
        Who::Organization { id } => who.to_string().starts_with(&format!("organization {id}")),
        // A role has sessions.
        Who::Principal { arn, .. } if arn.ends_with(":role/team/ci") => {
            who.to_string().contains("ci/run-1") || wide == who
        }
        wide => wide == who,
    };
    for wide in everybody() {
        for who in everybody() {
            assert_eq!(accept(&wide.to_string()).includes(&who), is_covered(&wide, &who), "{wide}: {who}");
        }
    }
    assert!(accept("any token of gitlab.com").includes(&"tokens of gitlab.com for a, b".parse().unwrap()));
    assert!(accept("tokens of gitlab.com for a, b").includes(&"tokens of gitlab.com for b".parse().unwrap()));
    assert!(!accept("tokens of gitlab.com for a").includes(&"tokens of gitlab.com for a, b".parse().unwrap()));
    assert!(!accept("tokens of gitlab.com for a").includes(&"any token of gitlab.com".parse().unwrap()));
    assert!(accept("ec2.amazonaws.com").includes(&"service ec2.amazonaws.com for aws:SourceArn x".parse().unwrap()));
}

#[test]
fn each_of_several_subjects_must_be_accepted() {
    let who = "tokens of gitlab.com for a, b";
    for (accepted, expected, unused) in [
        (vec!["tokens of gitlab.com for a"], Standing::Undeclared, 0),
        (vec!["tokens of gitlab.com for a", "tokens of gitlab.com for b"], Standing::Accepted("wanted".to_owned()), 0),
        (vec!["tokens of gitlab.com for a", "tokens of gitlab.com for c"], Standing::Undeclared, 1),
        (vec!["any token of gitlab.com"], Standing::Accepted("wanted".to_owned()), 0),
    ] {
        let declared = Declared { accepted: accepted.into_iter().map(accept).collect(), ..declared(&terms()) };
        assert_eq!(declared.standing(&admitted(who), &role()), expected);
        assert_eq!(declared.unused(&[admitted(who)], (&role()).into()).count(), unused);
    }
}

#[test]
fn an_entry_for_those_whom_the_link_declares_accepts_nobody() {
    let declared = Declared { accepted: vec![accept("*")], ..declared(&terms()) };
    let unused = |who: &str| declared.unused(&[admitted(who)], (&role()).into()).count();
    assert_eq!(unused("account 111111111111"), 1);
    assert_eq!(unused("account 999999999999"), 0);
}

fn admitted(who: &str) -> Admitted {
    let who = who.parse().unwrap_or_else(|error| panic!("{error}"));
    Admitted { who, statement: 0, sid: None, needs: Needs::default(), undecided: None }
}

#[test]
fn the_standing_of_a_class_is_by_link_statement_and_acceptance() {
    let everyone = "arn:aws:iam::111111111111:user/team/alice";
    let cases = [
        ("account 111111111111", false, Standing::Declared),
        ("arn:aws:iam::111111111111:role/ci", false, Standing::Declared),
        ("account 111111111111 (aws:username a)", false, Standing::Declared),
        ("account 111111111111", true, Standing::Undeclared),
        (everyone, true, Standing::Declared),
        ("arn:aws:iam::111111111111:user/alice", true, Standing::Undeclared),
        ("account 222222222222", false, Standing::Undeclared),
        ("everyone", false, Standing::Undeclared),
        ("arn:aws:iam::999999999999:role/ci", false, Standing::Accepted("wanted".to_owned())),
        ("service ec2.amazonaws.com", true, Standing::Declared),
    ];
    let statements = serde_json::json!({"Statement": {
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}});
    for (who, is_restricted, expected) in cases {
        let only = is_restricted.then(|| everyone.parse().unwrap()).into_iter().collect();
        let mut declared = declared(&TrustTerms { only, ..terms() });
        declared.statements = PolicyDocument::from_value(&statements).unwrap();
        declared.accepted = vec![accept("account 999999999999"), accept("o-a1b2c3d4e5")];
        assert_eq!(declared.standing(&admitted(who), &role()), expected, "{who}");
        let unused: Vec<_> = declared
            .unused(&[admitted("account 999999999999")], (&role()).into())
            .map(|entry| &entry.who)
            .cloned()
            .collect();
        assert_eq!(unused, ["o-a1b2c3d4e5"]);
    }
    // A statement on the role that asks for less than the declared one is another.
    let mfa = Needs { external_id: false, mfa: true };
    let statements = serde_json::json!({"Statement": {
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "333333333333"},
        "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}});
    let declared_with_mfa =
        Declared { statements: PolicyDocument::from_value(&statements).unwrap(), ..declared(&terms()) };
    for (needs, expected) in [(Needs::default(), Standing::Undeclared), (mfa, Standing::Declared)] {
        let one = Admitted { needs, ..admitted("account 333333333333") };
        assert_eq!(declared_with_mfa.standing(&one, &role()), expected);
    }
    let deleted = Admitted { who: Who::Deleted { id: "AROAEXAMPLEOTHER00001".to_owned() }, ..admitted("everyone") };
    assert_eq!(declared(&terms()).standing(&deleted, &role()), Standing::Nobody);
}
