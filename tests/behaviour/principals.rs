//! Principals other than users: groups, roles as callers, and the roles of permission sets; and the sizes of what each may
//! have.

use aws_sdk_iam::types::{PolicyUsageType, Role, SummaryKeyType, Tag};
use serde_json::{Value, json};

use crate::keys::Keys;
use crate::scene::{Scene, allow, answer, document, in_full, several, told, trust};
use crate::sources::*;
use crate::suite::{Behaviour, behaviour};

const ADMITTED: &str = "ok";
const REFUSED: &str = "403 AccessDenied";
const TARGET: &str = "arn:aws:iam::<B>:role/target";
const TERRAFORM: &str = "arn:aws:iam::<A>:role/ci/terraform";
const READ_ONLY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";

pub fn behaviours() -> Vec<Behaviour> {
    [sizes(), uses(), callers(), tags(), permission_sets(), vec![organization()]].into_iter().flatten().collect()
}

/// Returns a policy of this many characters, whatever prefix names have.
fn of_length(length: usize) -> String {
    let empty = allow("s3:GetObject", "arn:aws:s3:::*").to_string();
    allow("s3:GetObject", format!("arn:aws:s3:::*{}", "x".repeat(length - empty.len()))).to_string()
}

/// Creates a managed policy in account A.
async fn policy(scene: &Scene, name: &str) -> String {
    let create = scene.a.iam.create_policy().policy_name(name).policy_document(of_length(150));
    let policy = create.send().await.expect("a managed policy");
    policy.policy().and_then(|policy| policy.arn()).expect("its ARN").to_owned()
}

/// Creates the group `deployers` in account A, with alice as a member.
async fn group(scene: &Scene) {
    let iam = &scene.a.iam;
    iam.create_group().group_name("deployers").send().await.expect("a group");
    iam.add_user_to_group().group_name("deployers").user_name("alice").send().await.expect("a membership");
}

/// Creates the role `ci/terraform` in account A, which alice may assume.
async fn terraform(scene: &Scene) {
    let trust = scene.filled(&trust(json!({ "AWS": "arn:aws:iam::<A>:root" }), json!({})));
    let create = scene.a.iam.create_role().role_name("terraform").path("/ci/").assume_role_policy_document(trust);
    create.send().await.expect("a role");
    scene.grant("terraform", &allow(["sts:AssumeRole", "sts:TagSession"].as_slice(), TERRAFORM)).await;
}

/// Adds an inline policy to that role.
async fn terraform_may(scene: &Scene, grant: &Value) {
    let put = scene.a.iam.put_role_policy().role_name("terraform").policy_name("grant");
    put.policy_document(scene.filled(grant)).send().await.expect("a policy of the role");
}

/// Returns a session of that role.
async fn session(scene: &Scene) -> Keys {
    let assume = scene.assume().role_arn(TERRAFORM.replace("<A>", &scene.a.id));
    Keys::temporary(assume.send().await.expect("a session").credentials())
}

fn sizes() -> Vec<Behaviour> {
    vec![
        behaviour(
            "the policies of a group share a quota of 5120 characters",
            INLINE_SUMS,
            "ok, ok, 409 LimitExceeded: Maximum policy size of 5120 bytes exceeded for group deployers",
            async |scene| {
                group(scene).await;
                let put = async |name: &str, length| {
                    let put = scene.a.iam.put_group_policy().group_name("deployers").policy_name(name);
                    in_full(put.policy_document(of_length(length)).send().await)
                };
                several([put("one", 5000).await, put("two", 120).await, put("two", 121).await])
            },
        ),
        behaviour(
            "the policies of a role share a quota of 10240 characters",
            INLINE_SUMS,
            "ok, ok, 409 LimitExceeded: Maximum policy size of 10240 bytes exceeded for role terraform",
            async |scene| {
                terraform(scene).await;
                let put = async |name: &str, length| {
                    let put = scene.a.iam.put_role_policy().role_name("terraform").policy_name(name);
                    in_full(put.policy_document(of_length(length)).send().await)
                };
                several([put("one", 10_000).await, put("two", 240).await, put("two", 241).await])
            },
        ),
        behaviour(
            "a managed policy of 6144 characters, and of 6145",
            POLICY_SIZE,
            "ok, 409 LimitExceeded: Cannot exceed quota for PolicySize: 6144",
            async |scene| {
                let create = async |name: &str, length| {
                    let create = scene.a.iam.create_policy().policy_name(name).policy_document(of_length(length));
                    in_full(create.send().await)
                };
                several([create("one", 6144).await, create("two", 6145).await])
            },
        ),
        behaviour(
            "the eleventh managed policy of a role, and of a group",
            ATTACHMENTS,
            "409 LimitExceeded: Cannot exceed quota for PoliciesPerRole: 10, \
             409 LimitExceeded: Cannot exceed quota for PoliciesPerGroup: 10",
            async |scene| {
                terraform(scene).await;
                group(scene).await;
                let iam = &scene.a.iam;
                let (mut of_role, mut of_group) = (String::new(), String::new());
                for number in 1..=11 {
                    let arn = policy(scene, &format!("policy-{number}")).await;
                    of_role = in_full(iam.attach_role_policy().role_name("terraform").policy_arn(&arn).send().await);
                    of_group = in_full(iam.attach_group_policy().group_name("deployers").policy_arn(arn).send().await);
                }
                several([of_role, of_group])
            },
        ),
        behaviour(
            "the eleventh group of a user",
            LIKE_OTHER_QUOTAS,
            "409 LimitExceeded: Cannot exceed quota for GroupsPerUser: 10",
            async |scene| {
                let mut told = String::new();
                for number in 1..=11 {
                    let name = format!("group-{number}");
                    scene.a.iam.create_group().group_name(&name).send().await.expect("a group");
                    told = in_full(scene.a.iam.add_user_to_group().group_name(name).user_name("alice").send().await);
                }
                told
            },
        ),
        behaviour(
            "GetAccountSummary returns the quotas of principals and policies",
            GET_ACCOUNT_SUMMARY,
            "user 2048 10, group 5120 10, role 10240 10, policy 6144 5, trust 2048, groups 10",
            async |scene| {
                use SummaryKeyType as Key;
                answer(scene.a.iam.get_account_summary().send().await, |output| {
                    let summary = output.summary_map().expect("a summary");
                    let of = |key: Key| summary.get(&key).map_or("none".to_owned(), ToString::to_string);
                    let pair = |one, two| format!("{} {}", of(one), of(two));
                    several([
                        format!("user {}", pair(Key::UserPolicySizeQuota, Key::AttachedPoliciesPerUserQuota)),
                        format!("group {}", pair(Key::GroupPolicySizeQuota, Key::AttachedPoliciesPerGroupQuota)),
                        format!("role {}", pair(Key::RolePolicySizeQuota, Key::AttachedPoliciesPerRoleQuota)),
                        format!("policy {}", pair(Key::PolicySizeQuota, Key::VersionsPerPolicyQuota)),
                        format!("trust {}", of(Key::AssumeRolePolicySizeQuota)),
                        format!("groups {}", of(Key::GroupsPerUserQuota)),
                    ])
                })
            },
        ),
    ]
}

/// What uses a managed policy, and what may be in it.
fn uses() -> Vec<Behaviour> {
    vec![
        behaviour(
            "a policy of a group with a principal",
            GROUP_PRINCIPAL,
            "400 MalformedPolicyDocument: Policy document should not specify a principal.",
            async |scene| {
                group(scene).await;
                let statement = json!({ "Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*" });
                let put = scene.a.iam.put_group_policy().group_name("deployers").policy_name("policy");
                in_full(put.policy_document(document(statement).to_string()).send().await)
            },
        ),
        behaviour(
            "a managed policy whose name exists",
            NAME_TAKEN,
            "409 EntityAlreadyExists: A policy called xacct already exists. Duplicate names are not allowed.",
            async |scene| {
                policy(scene, "xacct").await;
                let create = scene.a.iam.create_policy().policy_name("xacct").policy_document(of_length(150));
                in_full(create.send().await)
            },
        ),
        behaviour(
            "a boundary is in use, but not attached",
            BOUNDARY_IN_USE,
            "404 NoSuchEntity, 409 DeleteConflict: Cannot delete a policy attached to entities.",
            async |scene| {
                terraform(scene).await;
                let (iam, arn) = (&scene.a.iam, policy(scene, "limit").await);
                let put = iam.put_role_permissions_boundary().role_name("terraform").permissions_boundary(&arn);
                put.send().await.expect("a permissions boundary");
                several([
                    told(iam.detach_role_policy().role_name("terraform").policy_arn(&arn).send().await),
                    in_full(iam.delete_policy().policy_arn(&arn).send().await),
                ])
            },
        ),
        behaviour(
            "the entities with a policy, and with it as a boundary",
            LIST_ENTITIES,
            "deployers alice terraform, deployers alice, terraform",
            async |scene| {
                terraform(scene).await;
                group(scene).await;
                let (iam, arn) = (&scene.a.iam, policy(scene, "mine").await);
                let put = iam.put_role_permissions_boundary().role_name("terraform").permissions_boundary(&arn);
                put.send().await.expect("a permissions boundary");
                let attach = iam.attach_group_policy().group_name("deployers").policy_arn(&arn);
                attach.send().await.expect("an attached policy");
                let attach = iam.attach_user_policy().user_name("alice").policy_arn(&arn);
                attach.send().await.expect("an attached policy");
                let list = async |usage: Option<PolicyUsageType>| {
                    let list = iam.list_entities_for_policy().policy_arn(&arn).set_policy_usage_filter(usage);
                    answer(list.send().await, |output| {
                        let groups = output.policy_groups().iter().filter_map(|group| group.group_name());
                        let users = output.policy_users().iter().filter_map(|user| user.user_name());
                        let roles = output.policy_roles().iter().filter_map(|role| role.role_name());
                        groups.chain(users).chain(roles).collect::<Vec<_>>().join(" ")
                    })
                };
                several([
                    list(None).await,
                    list(Some(PolicyUsageType::PermissionsPolicy)).await,
                    list(Some(PolicyUsageType::PermissionsBoundary)).await,
                ])
            },
        ),
    ]
}

/// A session of the role `ci/terraform` of account A assumes the role of account B, which trusts it so.
fn called(
    name: &'static str,
    source: Source,
    expected: &'static str,
    trust: Value,
    prepare: impl AsyncFn(&Scene) + Clone + 'static,
) -> Behaviour {
    behaviour(name, source, expected, async move |scene| {
        terraform(scene).await;
        scene.role(&trust).await;
        prepare(scene).await;
        told(scene.assume_as(&session(scene).await).send().await)
    })
}

fn callers() -> Vec<Behaviour> {
    let account = || trust(json!({ "AWS": "arn:aws:iam::<A>:root" }), json!({}));
    let role = || trust(json!({ "AWS": TERRAFORM }), json!({}));
    let under = |key: &str, value: &str| {
        trust(json!({ "AWS": "arn:aws:iam::<A>:root" }), json!({ "ArnEquals": { key: value } }))
    };
    let named = |name: &str| {
        let condition = json!({ "StringEquals": { "sts:RoleSessionName": name } });
        trust(json!({ "AWS": "arn:aws:iam::<A>:root" }), condition)
    };
    let grant = async |scene: &Scene| terraform_may(scene, &allow("sts:AssumeRole", TARGET)).await;
    let nothing = async |_: &Scene| {};
    vec![
        called("a role with trust in its account, and a grant", CROSS_ACCOUNT, ADMITTED, account(), grant),
        called("a role with trust in its account without a grant", CROSS_ACCOUNT, REFUSED, account(), nothing),
        called("a role with trust in itself, and a grant", PRINCIPAL, ADMITTED, role(), grant),
        called("a role with trust in itself without a grant", CROSS_ACCOUNT, REFUSED, role(), nothing),
        called(
            "the principal ARN of a session is that of the role with its path",
            CONDITION_KEYS,
            ADMITTED,
            under("aws:PrincipalArn", TERRAFORM),
            grant,
        ),
        called(
            "the principal ARN of a session is not that of the role without its path",
            CONDITION_KEYS,
            REFUSED,
            under("aws:PrincipalArn", "arn:aws:iam::<A>:role/terraform"),
            grant,
        ),
        called(
            "the principal ARN of a session is not that of the session",
            CONDITION_KEYS,
            REFUSED,
            under("aws:PrincipalArn", "arn:aws:sts::<A>:assumed-role/terraform/session"),
            grant,
        ),
        called(
            "trust in another session of the role",
            ONE_SESSION,
            REFUSED,
            trust(json!({ "AWS": "arn:aws:sts::<A>:assumed-role/terraform/other" }), json!({})),
            grant,
        ),
        called("a condition on the name of the new session", STS_KEYS, ADMITTED, named("session"), grant),
        called("a condition on another name of the new session", SESSION_NAME, REFUSED, named("alice"), grant),
        called("the boundary of a role without sts:AssumeRole", BOUNDARIES, REFUSED, account(), async |scene| {
            terraform_may(scene, &allow("sts:AssumeRole", TARGET)).await;
            let put = scene.a.iam.put_role_permissions_boundary().role_name("terraform");
            put.permissions_boundary(READ_ONLY).send().await.expect("a permissions boundary");
        }),
        behaviour(
            "a recreated role, with trust in it and with trust in its ARN by a condition",
            RECREATED_ROLE,
            "403 AccessDenied, ok",
            async move |scene| {
                terraform(scene).await;
                scene.role(&role()).await;
                let by_condition = scene.b.iam.create_role().role_name("by-condition");
                let policy = scene.filled(&under("aws:PrincipalArn", TERRAFORM));
                by_condition.assume_role_policy_document(policy).send().await.expect("a role");
                let delete = scene.a.iam.delete_role().role_name("terraform");
                delete.send().await.expect("a deleted role");
                terraform(scene).await;
                terraform_may(scene, &allow("sts:AssumeRole", "arn:aws:iam::<B>:role/*")).await;
                let session = session(scene).await;
                let other = scene.assume_as(&session).role_arn(scene.role_arn("by-condition"));
                several([told(scene.assume_as(&session).send().await), told(other.send().await)])
            },
        ),
        behaviour(
            "the session policy of a calling role, without and with sts:AssumeRole",
            SESSION_POLICIES,
            "403 AccessDenied, ok",
            async move |scene| {
                terraform(scene).await;
                scene.role(&account()).await;
                terraform_may(scene, &allow("sts:AssumeRole", TARGET)).await;
                let assume = async |action: &str| {
                    let first = scene.assume().role_arn(TERRAFORM.replace("<A>", &scene.a.id));
                    let first = first.policy(allow(action, "*").to_string()).send().await.expect("a session");
                    told(scene.assume_as(&Keys::temporary(first.credentials())).send().await)
                };
                several([assume("s3:*").await, assume("sts:AssumeRole").await])
            },
        ),
    ]
}

/// Session tags that the next session inherits.
fn tags() -> Vec<Behaviour> {
    // The session of the role has a tag, and the request for the next one has none.
    let inherited = |name, source, expected, transitive: bool, actions: &'static [&'static str]| {
        behaviour(name, source, expected, async move |scene| {
            let may_tag = json!({
                "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::<A>:root" },
                "Action": ["sts:AssumeRole", "sts:TagSession"],
            });
            terraform(scene).await;
            let update = scene.a.iam.update_assume_role_policy().role_name("terraform");
            let update = update.policy_document(scene.filled(&document(may_tag)));
            update.send().await.expect("a trust policy");
            scene
                .role(&document(json!({
                    "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::<A>:root" }, "Action": actions,
                })))
                .await;
            terraform_may(scene, &allow(actions, TARGET)).await;
            let first = scene.assume().role_arn(TERRAFORM.replace("<A>", &scene.a.id));
            let tag = aws_sdk_sts::types::Tag::builder().key("team").value("blue").build().expect("a tag");
            let keys = transitive.then(|| vec!["team".to_owned()]);
            let first = first.tags(tag).set_transitive_tag_keys(keys).send().await.expect("a session");
            in_full(scene.assume_as(&Keys::temporary(first.credentials())).send().await)
        })
    };
    vec![
        inherited(
            "inherited session tags without sts:TagSession",
            INHERITED_TAGS,
            "403 AccessDenied: User: arn:aws:sts::<A>:assumed-role/terraform/session is not authorized to perform: \
             sts:TagSession on resource: arn:aws:iam::<B>:role/target",
            true,
            &["sts:AssumeRole"],
        ),
        inherited(
            "inherited session tags with sts:TagSession",
            SESSION_TAGS,
            ADMITTED,
            true,
            &["sts:AssumeRole", "sts:TagSession"],
        ),
        inherited("session tags that are not transitive end", SESSION_TAGS, ADMITTED, false, &["sts:AssumeRole"]),
    ]
}

/// The role of the permission set `Deployer`, of an Identity Center in eu-west-1.
const RESERVED: &str = "AWSReservedSSO_Deployer_0123456789abcdef";
const RESERVED_PATH: &str = "/aws-reserved/sso.amazonaws.com/eu-west-1/";

fn permission_sets() -> Vec<Behaviour> {
    const UNMODIFIABLE: &str = "400 UnmodifiableEntity: Cannot perform the operation on the protected role \
                                'AWSReservedSSO_Deployer_0123456789abcdef' - this role is only modifiable by AWS, \
                                400 UnmodifiableEntity, 400 UnmodifiableEntity, 400 UnmodifiableEntity, \
                                400 UnmodifiableEntity";
    vec![
        behaviour("policies and deletion of a permission set's role", PROTECTED_ROLES, UNMODIFIABLE, async |scene| {
            reserved_role(scene).await;
            let iam = &scene.a.iam;
            let put = iam.put_role_policy().role_name(RESERVED).policy_name("AwsSSOInlinePolicy");
            let delete = iam.delete_role_policy().role_name(RESERVED).policy_name("AwsSSOInlinePolicy");
            several([
                in_full(put.policy_document(of_length(150)).send().await),
                told(delete.send().await),
                told(iam.attach_role_policy().role_name(RESERVED).policy_arn(READ_ONLY).send().await),
                told(iam.detach_role_policy().role_name(RESERVED).policy_arn(READ_ONLY).send().await),
                told(iam.delete_role().role_name(RESERVED).send().await),
            ])
        }),
        behaviour(
            "other changes of a permission set's role",
            LIKE_ITS_POLICIES,
            "400 UnmodifiableEntity, 400 UnmodifiableEntity, 400 UnmodifiableEntity, 400 UnmodifiableEntity",
            async |scene| {
                reserved_role(scene).await;
                let iam = &scene.a.iam;
                let policy = scene.filled(&trust(json!({ "AWS": "<A>" }), json!({})));
                let tag = Tag::builder().key("team").value("blue").build().expect("a tag");
                let put = iam.put_role_permissions_boundary().role_name(RESERVED).permissions_boundary(READ_ONLY);
                several([
                    told(iam.update_assume_role_policy().role_name(RESERVED).policy_document(policy).send().await),
                    told(iam.update_role().role_name(RESERVED).max_session_duration(3600).send().await),
                    told(iam.tag_role().role_name(RESERVED).tags(tag).send().await),
                    told(put.send().await),
                ])
            },
        ),
        behaviour(
            "the roles of permission sets are listed by their path",
            PERMISSION_SETS,
            "arn:aws:iam::<A>:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Deployer_0123456789abcdef, \
             AWSReservedSSO_Deployer_0123456789abcdef",
            async |scene| {
                terraform(scene).await;
                reserved_role(scene).await;
                let list = scene.a.iam.list_roles().path_prefix("/aws-reserved/sso.amazonaws.com/");
                several([
                    answer(list.send().await, |output| {
                        output.roles().iter().map(Role::arn).collect::<Vec<_>>().join(" ")
                    }),
                    answer(scene.a.iam.get_role().role_name(RESERVED).send().await, |output| {
                        output.role().map(|role| role.role_name().to_owned()).unwrap_or_default()
                    }),
                ])
            },
        ),
        behaviour("a permission set's role has no session but by sign-in", PERMISSION_SETS, REFUSED, async |scene| {
            reserved_role(scene).await;
            let arn = format!("arn:aws:iam::{}:role{RESERVED_PATH}{RESERVED}", scene.a.id);
            scene.grant("grant", &allow("sts:AssumeRole", &*arn)).await;
            told(scene.assume().role_arn(arn).send().await)
        }),
    ]
}

/// One grant for the roles of a name in all accounts of an organization. An account in no organization has no key.
fn organization() -> Behaviour {
    behaviour(
        "a grant for an organization: account B in none, in another one, in this one",
        LIKE_OTHER_KEYS,
        "403 AccessDenied, 403 AccessDenied, ok",
        async |scene| {
            scene.role(&trust(json!({ "AWS": "arn:aws:iam::<A>:root" }), json!({}))).await;
            let grant = document(json!({
                "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::*:role/target",
                "Condition": { "StringEquals": { "aws:ResourceOrgID": "o-a1b2c3d4e5" } },
            }));
            scene.grant("grant", &grant).await;
            let none = told(scene.assume().send().await);
            scene.server.join_organization(&scene.b.id, "o-zzzzzzzzzz");
            let other = told(scene.assume().send().await);
            scene.server.join_organization(&scene.b.id, "o-a1b2c3d4e5");
            several([none, other, told(scene.assume().send().await)])
        },
    )
}

/// Creates the role of the permission set `Deployer` in account A, as Identity Center does.
async fn reserved_role(scene: &Scene) {
    scene.server.add_reserved_role(&scene.a.id, &scene.a.iam, RESERVED_PATH, RESERVED).await;
}
