//! Properties of every role and every grant.

use proptest::collection::{btree_map, btree_set};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::super::*;
use super::fixtures::{LINK, desired_grant, desired_role, document, found, grant, parsed, role, trust, user};
use super::model::{apply_to_role, apply_to_user, as_iam_returns};
use crate::iam::arn::PolicyArn;
use crate::iam::identity::LINK_TAG;
use crate::iam::state::MANAGED_BY;

fn policies() -> Vec<PolicyArn> {
    ["aws:policy/One", "aws:policy/path/Two", "222222222222:policy/Three"]
        .map(|policy| parsed(&format!("arn:aws:iam::{policy}")))
        .to_vec()
}

fn any_document() -> impl Strategy<Value = PolicyDocument> {
    select(&["s3:*", "S3:*", "ec2:Describe*"][..]).prop_map(document)
}

fn any_trust() -> impl Strategy<Value = PolicyDocument> {
    select(&["first", "second"][..]).prop_map(trust)
}

fn any_found(documents: impl Strategy<Value = PolicyDocument>) -> impl Strategy<Value = FoundDocument> {
    prop_oneof![
        6 => documents.prop_map(|document| as_iam_returns(&document)),
        1 => Just(found("sts:*")),
        1 => Just(FoundDocument::parse("not JSON")),
    ]
}

fn any_tags() -> impl Strategy<Value = BTreeMap<String, String>> {
    btree_map("(team|Team|a:b|xacct:source-account|xacct:link|managed-by)", "[xy]?", 0..4)
}

pub fn any_desired_role() -> impl Strategy<Value = DesiredRole> {
    let tags = any_tags().prop_map(|tags| tags.iter().map(|(key, value)| (parsed(key), parsed(value))).collect());
    (
        select(&["", "a link"][..]),
        select(&["1h", "12h"][..]),
        option::of(select(policies())),
        tags,
        any_trust(),
        subsequence(policies(), 0..=3),
        btree_map("xacct-[abc]", any_document(), 0..3),
        (subsequence(policies(), 0..=2), any::<bool>()),
    )
        .prop_map(
            |(description, max_session, boundary, tags, trust, attachments, inline, (replaced, exclusive))| {
                DesiredRole {
                    description: description.to_owned(),
                    max_session: parsed(max_session),
                    boundary,
                    tags,
                    trust,
                    attachments: attachments.into_iter().collect(),
                    inline: inline.into_iter().map(|(name, document)| (parsed(&name), document)).collect(),
                    replaced: replaced.into_iter().collect(),
                    exclusive,
                    ..desired_role()
                }
            },
        )
}

/// Any role, created by xacct or not.
pub fn any_observed_role() -> impl Strategy<Value = ObservedRole> {
    let mut attachable: Vec<_> = policies().iter().map(ToString::to_string).collect();
    attachable.push("arn:aws:iam::222222222222:policy/Others".to_owned());
    let own = btree_map("xacct-[abcd]", any_found(any_document()).prop_map(Some), 0..4);
    let others = btree_map("(custom|xacct|Xacct-a)", Just(None), 0..3);
    (
        select(&["", "a link", "edited"][..]),
        select(&[3600, 7200, 43_200][..]),
        option::of(select(attachable.clone())),
        any_tags(),
        any_found(any_trust()),
        subsequence(attachable, 0..=4),
        (own, others),
    )
        .prop_map(|(description, max_session, boundary, tags, trust, attachments, (own, others))| ObservedRole {
            id: "AROAEXAMPLE".to_owned(),
            arn: desired_role().arn.to_string(),
            description: description.to_owned(),
            max_session,
            boundary,
            tags,
            trust,
            attachments: attachments.into_iter().collect(),
            inline: own.into_iter().chain(others).collect(),
            last_used: None,
        })
}

/// Any role that xacct created for the right source account, although its tag may be missing.
fn any_role_of_ours() -> impl Strategy<Value = ObservedRole> {
    (any_observed_role(), any::<bool>()).prop_map(|(mut role, has_source_tag)| {
        role.tags.insert(MANAGED_BY.0.to_owned(), MANAGED_BY.1.to_owned());
        role.tags.remove(SOURCE_TAG);
        role.tags.insert(LINK_TAG.to_owned(), LINK.to_owned());
        if has_source_tag {
            role.tags.insert(SOURCE_TAG.to_owned(), "111111111111".to_owned());
        }
        role
    })
}

/// Returns the unmanaged settings of the role, which every plan must keep. An exclusive role has no unmanaged policies.
fn unmanaged(desired: &DesiredRole, role: &ObservedRole) -> ObservedRole {
    let mut rest = role.clone();
    let tags = desired.all_tags();
    rest.tags.retain(|key, _| !tags.contains_key(key));
    rest.inline.retain(|name, _| !name.starts_with("xacct-"));
    let managed: BTreeSet<_> = desired.attachments.union(&desired.replaced).map(ToString::to_string).collect();
    rest.attachments.retain(|policy| !desired.exclusive && !managed.contains(policy));
    rest.inline.retain(|_, _| !desired.exclusive);
    if desired.boundary.is_some() {
        rest.boundary = None;
    }
    ObservedRole { description: String::new(), max_session: 0, trust: FoundDocument::parse(""), ..rest }
}

fn plan(desired: &DesiredRole, observed: Option<&ObservedRole>, adopt: bool) -> Result<Plan, Box<Refusal>> {
    plan_role(desired, observed, &RoleQuotas::default(), adopt)
}

fn any_roles() -> impl Strategy<Value = BTreeSet<RoleArn>> {
    btree_set(select(&["a", "b", "team/c", "A"][..]).prop_map(role), 0..4)
}

fn any_desired_grant() -> impl Strategy<Value = DesiredGrant> {
    (any_roles(), any_roles()).prop_map(|(mut roles, tagged)| {
        roles.insert(role("a"));
        DesiredGrant { with_session_tags: tagged.intersection(&roles).cloned().collect(), roles, ..desired_grant(&[]) }
    })
}

/// A grant of xacct's, possibly edited, a foreign policy, or none.
fn any_grant() -> impl Strategy<Value = Option<FoundDocument>> {
    const EDITS: [(&str, &str); 5] = [
        ("\"Statement\": [", "\"Statement\": ["),
        ("role/a\"", "role/*\""),
        ("\"Statement\": [", "\"Statement\": [{\"Effect\": \"Deny\", \"Action\": \"*\", \"Resource\": \"*\"},"),
        ("\"Resource\"", "\"NotResource\""),
        ("\"sts:AssumeRole\"", "\"sts:*\""),
    ];
    let ours = (any_roles(), any_roles(), select(&EDITS[..])).prop_map(|(mut roles, tagged, (from, to))| {
        roles.insert(role("b"));
        FoundDocument::parse(&templates::grant(&roles, &tagged).to_string().replacen(from, to, 1))
    });
    prop_oneof![
        1 => Just(None),
        1 => Just(Some(found("s3:*"))),
        1 => Just(Some(FoundDocument::parse("not JSON"))),
        6 => ours.prop_map(Some),
    ]
}

/// Returns the exact roles that the current grant allows.
fn granted(user: &ObservedPrincipal) -> BTreeSet<RoleArn> {
    let policy = user.grant.as_ref().and_then(FoundDocument::policy);
    policy.map_or_else(BTreeSet::new, |policy| templates::granted_roles(policy, templates::LINK_SID, "sts:AssumeRole"))
}

proptest! {
    #[test]
    fn no_changes_remain_after_a_role_is_created(desired in any_desired_role()) {
        let made = plan(&desired, None, false).unwrap().changes.iter().fold(None, apply_to_role);
        prop_assert_eq!(plan(&desired, made.as_ref(), false).unwrap(), Plan::default());
    }

    #[test]
    fn no_changes_remain_after_a_role_of_ours_is_repaired(desired in any_desired_role(), observed in any_role_of_ours()) {
        let first = plan(&desired, Some(&observed), false).unwrap();
        let repaired = first.changes.iter().fold(Some(observed), apply_to_role);
        let second = plan(&desired, repaired.as_ref(), false).unwrap();
        prop_assert_eq!(&second.changes, &[]);
        prop_assert_eq!(second.notes, first.notes);
    }

    #[test]
    fn no_changes_remain_after_any_role_is_adopted(desired in any_desired_role(), observed in any_observed_role()) {
        let first = plan(&desired, Some(&observed), true).unwrap();
        let adopted = first.changes.iter().fold(Some(observed), apply_to_role);
        // From now on it is ours, and needs no adoption.
        prop_assert_eq!(&plan(&desired, adopted.as_ref(), false).unwrap().changes, &[]);
    }

    #[test]
    fn unmanaged_settings_survive_every_plan(desired in any_desired_role(), observed in any_observed_role()) {
        let before = unmanaged(&desired, &observed);
        let changes = plan(&desired, Some(&observed), true).unwrap().changes;
        let after = changes.iter().fold(Some(observed), apply_to_role).unwrap();
        prop_assert_eq!(unmanaged(&desired, &after), before);
    }

    #[test]
    fn a_role_that_is_not_ours_is_never_changed_without_adoption(
        desired in any_desired_role(), observed in any_observed_role(),
    ) {
        let is_ours = observed.tags.get("managed-by").is_some_and(|value| value == "xacct")
            && observed.tags.get("xacct:source-account").is_none_or(|source| source == "111111111111")
            && desired.identity.owns(&observed.tags, observed.trust.policy());
        prop_assert_eq!(plan(&desired, Some(&observed), false).is_ok(), is_ours);
    }

    #[test]
    fn no_changes_remain_after_a_grant_is_written(desired in any_desired_grant(), standing in any_grant()) {
        let observed = ObservedPrincipal { grant: standing, ..user(None) };
        let before = granted(&observed);
        let plan = plan_grant(&desired, &observed, true).unwrap();
        let after = plan.changes.iter().fold(observed, apply_to_user);
        // From now on it is ours, and needs no adoption.
        prop_assert_eq!(plan_grant(&desired, &after, false).unwrap(), Plan::default());
        prop_assert_eq!(granted(&after), before.union(&desired.roles).cloned().collect());
    }

    #[test]
    fn a_grant_allows_nothing_but_exact_roles(desired in any_desired_grant(), standing in any_grant()) {
        let observed = ObservedPrincipal { grant: standing, ..user(None) };
        for change in plan_grant(&desired, &observed, true).unwrap().changes {
            let written = change.document().unwrap();
            let shape = grant(&[], &[]);
            prop_assert_eq!(&written.version, &shape.version);
            prop_assert!(written.statements.len() <= 2);
            prop_assert!(!written.minified().contains(['*', '?']), "{}", written);
        }
    }
}
