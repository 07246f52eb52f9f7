//! Random trust policies and callers: whoever gets in belongs to a class that the reduction names, and of each class that
//! it names somebody gets in.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use xacct::iam::admission::{Admitted, Declared, Standing, Subject, Who, of_trust};
use xacct::iam::arn::RoleArn;
use xacct::iam::evaluate::{Decision, resource_policy};
use xacct::iam::policy::PolicyDocument;

use super::caller::{COGNITO, GITHUB, OWN, SAML, SOURCE, Tried, matches};
use super::generate::{NOW, ODD_DATE, SAME_DATE, Scene, arns};
use crate::ROLE;
use crate::compare::setting;
use crate::generate::Random;
use crate::scene::document;

/// The number of trust policies and callers; `XACCT_EVALUATOR_TUPLES` overrides it.
const TUPLES: usize = 3_000;
/// When a policy is asked again: what begins later begins before, and what ends later ends before.
const LATER: &str = "2028-01-01T00:00:00Z";
/// How many callers of a class are tried before it counts as without a witness.
const TRIES: usize = 300;

fn gets_in(policy: &PolicyDocument, caller: &Tried) -> bool {
    resource_policy(policy, &caller.request()).decision == Decision::Allowed
}

#[derive(Default)]
struct Counts {
    kinds: BTreeMap<&'static str, usize>,
    undeclared: usize,
    classes: usize,
    undecided: usize,
    witnessed: usize,
    missing: Vec<String>,
}

#[test]
fn classes_include_whoever_gets_in_and_have_a_witness() {
    let mut random = Random::new(setting("XACCT_EVALUATOR_SEED", 1) as u64);
    let tuples = setting("XACCT_EVALUATOR_TUPLES", TUPLES);
    let role: RoleArn = ROLE.parse().unwrap();
    let declared = Declared {
        source: SOURCE.parse().unwrap(),
        only: ["arn:aws:iam::111111111111:user/alice".parse().unwrap()].into(),
        statements: PolicyDocument { version: None, id: None, statements: Vec::new() },
        accepted: Vec::new(),
    };
    let mut counts = Counts::default();
    for _ in 0..tuples {
        let scene = Scene::generate(&mut random);
        let policy = document(&scene.policy);
        let now = scene.has_time.then(|| OffsetDateTime::parse(NOW, &Rfc3339).unwrap());
        let subject = Subject { role: &role, source: Some(&declared.source), tags: scene.tags.as_ref(), now };
        let classes = of_trust(&policy, subject);
        // Whoever may get in, by the form of a date that AWS may read, and later.
        let read = document(&serde_json::from_str(&scene.policy.to_string().replace(ODD_DATE, SAME_DATE)).unwrap());
        for time in [NOW, LATER] {
            let mut caller = scene.caller.clone();
            caller.set("aws:CurrentTime", time);
            let is_named = || classes.iter().any(|class| caller.is_in(&class.who));
            assert!(
                !gets_in(&read, &caller) || is_named(),
                "{caller:?} gets in at {time} and is in none of {classes:#?}: {}",
                scene.policy
            );
        }
        if gets_in(&policy, &scene.caller) {
            let own: Vec<_> = classes.iter().filter(|class| scene.caller.is_in(&class.who)).collect();
            assert!(!own.is_empty(), "{:?} gets in and is in none of {classes:#?}: {}", scene.caller, scene.policy);
            *counts.kinds.entry(scene.caller.kind()).or_default() += 1;
            let is_declared = |class: &&Admitted| declared.standing(class, &role) == Standing::Declared;
            counts.undeclared += usize::from(!own.iter().any(is_declared));
        }
        for class in &classes {
            if class.undecided.is_some() || matches!(class.who, Who::Deleted { .. }) {
                counts.undecided += 1;
                continue;
            }
            counts.classes += 1;
            if has_witness(&mut random, &policy, &scene, &class.who) {
                counts.witnessed += 1;
            } else {
                counts.missing.push(format!("{} of {}", class.who, scene.policy));
                counts.missing.sort_by_key(String::len);
                counts.missing.truncate(5);
            }
        }
    }
    let percent = |count: usize, of: usize| count * 100 / of.max(1);
    let admitted: usize = counts.kinds.values().sum();
    let _ = writeln!(
        std::io::stderr(),
        "{tuples} trust policies: {} % admit an undeclared caller; admitted by kind {:?}; {} of {} classes witnessed, {} \
         undecided or nobody",
        percent(counts.undeclared, tuples),
        counts.kinds.iter().map(|(kind, count)| (kind, percent(*count, admitted))).collect::<Vec<_>>(),
        counts.witnessed,
        counts.classes,
        counts.undecided
    );
    assert!(percent(counts.undeclared, tuples) >= 30);
    assert_eq!(counts.kinds.len(), 7);
    for (kind, count) in &counts.kinds {
        assert!(percent(*count, admitted) >= 5, "{kind}");
    }
    assert!(percent(counts.witnessed, counts.classes) >= 95, "without a witness: {}", counts.missing.join("\n\n"));
}

/// Returns whether somebody of the class gets in, of callers that are made of the values in the policy.
fn has_witness(random: &mut Random, policy: &PolicyDocument, scene: &Scene, who: &Who) -> bool {
    let mut wanted: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (key, values) in policy.statements.iter().flat_map(|statement| statement.condition.values()).flatten() {
        let values = values.iter().flat_map(|value| [example(value), value.clone()]);
        wanted.entry(key.clone()).or_default().extend(values);
    }
    wanted.insert("aws:PrincipalTag/home".to_owned(), vec!["888888888888".to_owned(), "999999999999".to_owned()]);
    let fixed = ["aws:PrincipalArn", "aws:PrincipalAccount", "aws:PrincipalIsAWSService", "aws:PrincipalServiceName"];
    let of_role = ["aws:ResourceAccount", "aws:ResourceTag/open", "aws:CurrentTime"];
    let bases = bases(policy, who);
    (0..TRIES).any(|attempt| {
        let mut caller = random.pick(&bases);
        for key in of_role {
            caller.keys.insert(key.to_owned(), scene.caller.keys[key].clone());
        }
        for (key, values) in &wanted {
            if fixed.contains(&key.as_str()) || of_role.contains(&key.as_str()) || !may_have(&caller, key) {
                continue;
            }
            // Mostly a value of the policy; else another one, or none.
            match random.below(if attempt < 20 { 20 } else { 4 }) {
                0 => {}
                1 => caller.set(key, other(key)),
                _ => caller.set(key, &random.pick(values)),
            }
        }
        if let Some(id) = caller.keys.get("aws:PrincipalOrgID").cloned()
            && !caller.keys.contains_key("aws:PrincipalOrgPaths")
        {
            caller.set("aws:PrincipalOrgPaths", &format!("{}/r-9/", id[0]));
        }
        if let Some(paths) = caller.keys.get("aws:PrincipalOrgPaths").cloned() {
            caller.set("aws:PrincipalOrgID", paths[0].split('/').next().unwrap());
        }
        if let Who::Organization { id } = who {
            caller.set("aws:PrincipalOrgID", id.split('/').next().unwrap());
        }
        caller.is_in(who) && gets_in(policy, &caller)
    })
}

/// Returns a text that a pattern matches; a variable stands for the user `alice` or the role's account.
fn example(pattern: &str) -> String {
    let text = pattern.replace("${aws:username, 'run-1'}", "run-1").replace("${aws:username}", "alice");
    let text = text.replace("${aws:ResourceAccount}", OWN);
    match text.as_str() {
        "203.0.113.0/24" => "203.0.113.9".to_owned(),
        "198.51.100.0/24" => "198.51.100.9".to_owned(),
        text if text.starts_with("*/ou-1") => format!("o-a1b2c3d4e5/r-1{}", text.replace('*', "")),
        text => text.replace(['*', '?'], "x"),
    }
}

fn other(key: &str) -> &'static str {
    match key {
        "aws:SourceIp" => "192.0.2.7",
        "aws:MultiFactorAuthPresent" => "false",
        "aws:PrincipalOrgID" => "o-otherother",
        "aws:PrincipalOrgPaths" => "o-otherother/r-1/",
        _ => "other",
    }
}

/// Returns whether the request of a caller may have a key, by the IAM User Guide: the table of keys in the test's words.
fn may_have(caller: &Tried, key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let is_claim = key.split_once(':').is_some_and(|(host, _)| host.contains('.'));
    let kind = caller.kind();
    if is_claim {
        let host = key.rsplit_once(':').unwrap().0;
        return match kind {
            "token" => format!("{:?}", caller.caller).contains(host),
            kind => kind.contains("account") || kind == "organization",
        };
    }
    if key.starts_with("aws:source") && key != "aws:sourceip" {
        return kind == "service";
    }
    let is_federated = matches!(kind, "token" | "assertion");
    match key.as_str() {
        "aws:username" | "aws:principalorgid" | "aws:principalorgpaths" => !is_federated && kind != "service",
        "sts:externalid" | "aws:multifactorauthpresent" => !is_federated,
        _ => true,
    }
}

/// Returns callers of a class, as far as the caller's own ARNs and names go.
fn bases(policy: &PolicyDocument, who: &Who) -> Vec<Tried> {
    let stranger = "888888888888";
    let accounts: BTreeSet<String> = match who {
        Who::Account(account) | Who::Matching { account, .. } => BTreeSet::from([account.to_string()]),
        Who::Principal { arn, .. } => {
            let role = arn.split_once(":assumed-role/").map(|(start, rest)| {
                format!("{}:role/{}", start.replace(":sts:", ":iam:"), rest.split('/').next().unwrap())
            });
            let mut both = vec![arn.clone()];
            both.extend(role);
            return vec![Tried::aws(&both)];
        }
        Who::Organization { .. } | Who::Everyone => BTreeSet::from([stranger.to_owned()]),
        Who::Service(name) | Who::ServiceFor { service: name, .. } => {
            let name = if name == "*" { "sns.amazonaws.com" } else { name };
            return vec![Tried::service(name)];
        }
        Who::Tokens { issuer, .. } => {
            let of = |provider: &&str| {
                let host = provider.rsplit('/').next().unwrap();
                issuer == "*" || issuer == *provider || issuer == host
            };
            let known = [GITHUB, COGNITO, "gitlab.com"].into_iter().filter(of);
            return known.map(Tried::federated).collect();
        }
        Who::Saml { .. } => return vec![Tried::federated(SAML)],
        Who::Deleted { .. } => return Vec::new(),
    };
    let mut found = Vec::new();
    if *who == Who::Everyone {
        // With `*`, also whoever has a token of an issuer that is built into AWS.
        found.extend([COGNITO, GITHUB].map(Tried::federated));
    }
    for account in &accounts {
        for name in ["witness", "alice", "mallory", "ci"] {
            found.push(Tried::aws(&arns(account, name)));
        }
        let texts = policy.statements.iter().flat_map(|statement| statement.condition.values()).flatten();
        let patterns = texts.filter(|(key, _)| key.as_str() == "aws:PrincipalArn").flat_map(|(_, values)| values);
        for pattern in patterns {
            for candidate in ["ci", "witness", "x"]
                .iter()
                .flat_map(|name| [arns(account, name), vec![format!("arn:aws:iam::{account}:role/{name}")]])
            {
                if matches(pattern, candidate.last().unwrap()) {
                    found.push(Tried::aws(&candidate));
                }
            }
        }
    }
    found
}
