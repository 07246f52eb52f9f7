use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::iam::policy::PolicyDocument;
use crate::iam::templates;
use crate::iam::who::{HolderKind, Policies};

fn arn(name: &str) -> RoleArn {
    format!("arn:aws:iam::222222222222:role/{name}").parse().unwrap()
}

fn source() -> AccountId {
    "111111111111".parse().unwrap()
}

/// One target with role `dev`, for alice.
fn named() -> Named {
    let mut named = Named::default();
    named.add_role(&"222222222222".parse().unwrap(), &"dev".parse().unwrap(), &["user/alice".parse().unwrap()]);
    named
}

fn role(path_and_name: &str, tags: &[(&str, &str)]) -> Holder {
    let arn = arn(path_and_name);
    Holder {
        kind: HolderKind::Role,
        name: arn.name.to_string(),
        arn: arn.to_string(),
        unique_id: "AROA".to_owned(),
        tags: tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        policies: Policies::default(),
        groups: Vec::new(),
        boundary: None,
        trust: None,
    }
}

fn user(name: &str, policy: &str, document: PolicyDocument) -> Holder {
    let text = Arc::new(FoundDocument::Policy(document));
    Holder {
        kind: HolderKind::User,
        name: name.to_owned(),
        arn: format!("arn:aws:iam::111111111111:user/{name}"),
        policies: Policies { inline: BTreeMap::from([(policy.to_owned(), text)]), ..Policies::default() },
        ..role("none", &[])
    }
}

const OURS: [(&str, &str); 2] = [("managed-by", "xacct"), (SOURCE_TAG, "111111111111")];

#[test]
fn only_roles_with_both_tags_that_no_target_has_are_orphans() {
    let is_orphan = |name: &str, tags: &[(&str, &str)]| OrphanedRole::of(&role(name, tags), &source(), &named());
    assert_eq!(is_orphan("old", &OURS), Some(OrphanedRole { role: arn("old"), link: None }));
    assert_eq!(is_orphan("team/old", &OURS).map(|orphan| orphan.role), Some(arn("team/old")));
    // A target names it, if not with this path or these capitals: bootstrap reports the difference.
    for name in ["dev", "team/dev", "Dev"] {
        assert_eq!(is_orphan(name, &OURS), None, "{name}");
    }
    assert_eq!(is_orphan("old", &OURS[..1]), None);
    assert_eq!(is_orphan("old", &OURS[1..]), None);
    assert_eq!(is_orphan("old", &[OURS[0], (SOURCE_TAG, "999999999999")]), None);
}

#[test]
fn a_grant_is_orphaned_as_a_whole_or_in_part() {
    let grant = |roles: &[&str]| templates::grant(&roles.iter().map(|name| arn(name)).collect(), &BTreeSet::new());
    let part = |name: &str| format!("arn:aws:iam::111111111111:policy/xacct/xacct-user-{name}-1");
    let text = |roles: &[&str]| Reading::Present(Arc::new(FoundDocument::Policy(grant(roles))));
    let managed = BTreeMap::from([(part("alice"), text(&["dev", "old"])), (part("leaver"), text(&["other"]))]);
    let orphaned = |holder: &Holder| {
        let found = OrphanedGrant::among(&holder.arn, &holder.policies, &managed, &named());
        found.map(|grant| (grant.is_named, grant.roles.iter().map(|role| role.name.to_string()).collect()))
    };
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(orphaned(&user("alice", "xacct", grant(&["dev"]))), None);
    assert_eq!(orphaned(&user("alice", "xacct", grant(&["dev", "old"]))), Some((true, names(&["old"]))));
    assert_eq!(orphaned(&user("leaver", "xacct", grant(&["dev"]))), Some((false, names(&["dev"]))));
    // What xacct did not write is not its business.
    assert_eq!(orphaned(&user("leaver", "by-hand", grant(&["dev"]))), None);
    let by_hand = json!({"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": arn("dev")}});
    assert_eq!(orphaned(&user("leaver", "xacct", PolicyDocument::from_value(&by_hand).unwrap())), None);
    // The rest is in a managed policy, and possibly everything.
    let with_part = |name: &str, inline: &str| {
        let mut user = user(name, inline, grant(&["dev"]));
        user.policies.attached.insert(part(name));
        user
    };
    assert_eq!(orphaned(&with_part("alice", "xacct")), Some((true, names(&["old"]))));
    assert_eq!(orphaned(&with_part("leaver", "xacct")), Some((false, names(&["dev", "other"]))));
    assert_eq!(orphaned(&with_part("leaver", "by-hand")), Some((false, names(&["other"]))));
    // A grant that somebody widened by hand is still xacct's.
    let wide = json!({"Statement": {"Sid": "XacctAssumeRole", "Effect": "Allow", "Action": "sts:AssumeRole",
        "Resource": "*"}});
    assert_eq!(
        orphaned(&user("leaver", "xacct", PolicyDocument::from_value(&wide).unwrap())),
        Some((false, names(&[])))
    );
}
