//! Managed policies and their versions, groups, and boundaries of users.

use aws_sdk_iam::operation::list_policies::builders::ListPoliciesFluentBuilder;
use aws_sdk_iam::types::PolicyScopeType::Local;
use aws_sdk_iam::types::PolicyUsageType;

use crate::scene::{Scene, allow, answer, several, told};
use crate::sources::*;
use crate::suite::{Behaviour, behaviour};

const READ_ONLY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";
const POWER_USER: &str = "arn:aws:iam::aws:policy/PowerUserAccess";
/// A request that alice has no permission for.
const ASKED: &str = "iam:GetUser";

pub fn behaviours() -> Vec<Behaviour> {
    [versions(), lists(), groups(), boundaries()].into_iter().flatten().collect()
}

/// Creates a managed policy in account A.
async fn policy(scene: &Scene, name: &str, action: &str) -> String {
    let create = scene.a.iam.create_policy().policy_name(name).policy_document(allow(action, "*").to_string());
    let policy = create.send().await.expect("a managed policy");
    policy.policy().and_then(|policy| policy.arn()).expect("its ARN").to_owned()
}

/// Attaches a policy to alice.
async fn attach(scene: &Scene, arn: &str) {
    scene.a.iam.attach_user_policy().user_name("alice").policy_arn(arn).send().await.expect("an attached policy");
}

/// Returns the answer to that request of alice.
async fn asking(scene: &Scene) -> String {
    told(scene.iam(&scene.alice).get_user().user_name("alice").send().await)
}

/// Adds a version and returns its ID.
async fn version(scene: &Scene, arn: &str, action: &str, as_default: bool) -> String {
    let create = scene.a.iam.create_policy_version().policy_arn(arn).set_as_default(as_default);
    answer(create.policy_document(allow(action, "*").to_string()).send().await, |output| {
        output.policy_version().and_then(|version| version.version_id()).unwrap_or_default().to_owned()
    })
}

async fn delete_version(scene: &Scene, arn: &str, id: &str) -> String {
    told(scene.a.iam.delete_policy_version().policy_arn(arn).version_id(id).send().await)
}

async fn default_version(scene: &Scene, arn: &str) -> String {
    answer(scene.a.iam.get_policy().policy_arn(arn).send().await, |output| {
        output.policy().and_then(|policy| policy.default_version_id()).unwrap_or_default().to_owned()
    })
}

fn versions() -> Vec<Behaviour> {
    vec![
        behaviour("only the default version counts", VERSIONS, "v2, 403 AccessDenied, v1, v3, ok, v3", async |scene| {
            let arn = policy(scene, "policy", "s3:GetObject").await;
            attach(scene, &arn).await;
            several([
                version(scene, &arn, ASKED, false).await,
                asking(scene).await,
                default_version(scene, &arn).await,
                version(scene, &arn, ASKED, true).await,
                asking(scene).await,
                default_version(scene, &arn).await,
            ])
        }),
        behaviour("an older version can become the default again", VERSIONS, "ok, ok, v1", async |scene| {
            let arn = policy(scene, "policy", ASKED).await;
            attach(scene, &arn).await;
            version(scene, &arn, "s3:GetObject", true).await;
            let set = scene.a.iam.set_default_policy_version().policy_arn(&arn).version_id("v1");
            several([told(set.send().await), asking(scene).await, default_version(scene, &arn).await])
        }),
        behaviour("a sixth version", CREATE_POLICY_VERSION, "v5, 409 LimitExceeded, ok, v6", async |scene| {
            let arn = policy(scene, "policy", ASKED).await;
            let add = async || version(scene, &arn, ASKED, false).await;
            for _ in 2..5 {
                add().await;
            }
            several([add().await, add().await, delete_version(scene, &arn, "v2").await, add().await])
        }),
        behaviour("versions keep their numbers after others are deleted", VERSIONS, "v7 v6 v5 v3 v1", async |scene| {
            let arn = policy(scene, "policy", ASKED).await;
            for _ in 2..=5 {
                version(scene, &arn, ASKED, false).await;
            }
            for id in ["v2", "v4"] {
                delete_version(scene, &arn, id).await;
                version(scene, &arn, ASKED, false).await;
            }
            answer(scene.a.iam.list_policy_versions().policy_arn(&arn).send().await, |output| {
                let mut ids: Vec<_> = output.versions().iter().filter_map(|version| version.version_id()).collect();
                ids.sort_unstable_by(|one, other| other.cmp(one));
                ids.join(" ")
            })
        }),
        behaviour(
            "deletion of the default version, and of a missing one",
            DELETE_POLICY_VERSION,
            "409 DeleteConflict, 404 NoSuchEntity",
            async |scene| {
                let arn = policy(scene, "policy", ASKED).await;
                several([delete_version(scene, &arn, "v1").await, delete_version(scene, &arn, "v9").await])
            },
        ),
        behaviour(
            "deletion of a policy with two versions, and of an attached one",
            DELETE_POLICY,
            "409 DeleteConflict, ok, 409 DeleteConflict",
            async |scene| {
                let delete = async |arn: &str| told(scene.a.iam.delete_policy().policy_arn(arn).send().await);
                let (two, attached) = (policy(scene, "two", ASKED).await, policy(scene, "attached", ASKED).await);
                version(scene, &two, ASKED, false).await;
                attach(scene, &attached).await;
                let early = delete(&two).await;
                delete_version(scene, &two, "v2").await;
                several([early, delete(&two).await, delete(&attached).await])
            },
        ),
        behaviour("the document of every version can be read", VERSIONS, "s3:GetObject, iam:GetUser", async |scene| {
            let arn = policy(scene, "policy", "s3:GetObject").await;
            version(scene, &arn, ASKED, true).await;
            let action = async |id: &str| {
                let get = scene.a.iam.get_policy_version().policy_arn(&arn).version_id(id);
                answer(get.send().await, |output| {
                    let text = output.policy_version().and_then(|version| version.document()).unwrap_or_default();
                    let found = ["s3:GetObject", ASKED].into_iter().find(|it| text.contains(&it.replace(':', "%3A")));
                    found.unwrap_or(text).to_owned()
                })
            };
            several([action("v1").await, action("v2").await])
        }),
        behaviour("a new version of an AWS managed policy", VERSIONS, "403 AccessDenied", async |scene| {
            version(scene, READ_ONLY, ASKED, false).await
        }),
        behaviour(
            "the default version of an AWS managed policy need not be v1",
            MANAGED_POLICIES,
            "v1, another",
            async |scene| {
                let other = default_version(scene, POWER_USER).await;
                several([
                    default_version(scene, "arn:aws:iam::aws:policy/AdministratorAccess").await,
                    if other == "v1" { other } else { "another".to_owned() },
                ])
            },
        ),
    ]
}

/// Returns which of these policies are in a list. AWS's other policies are ignored.
async fn names(list: ListPoliciesFluentBuilder) -> String {
    answer(list.send().await, |output| {
        let listed: Vec<_> = output.policies().iter().filter_map(|policy| policy.policy_name()).collect();
        let mut known = vec!["AdministratorAccess", "ReadOnlyAccess", "SecurityAudit", "idle", "limit", "mine"];
        known.retain(|name| listed.contains(name));
        known.join(" ")
    })
}

fn lists() -> Vec<Behaviour> {
    vec![
        behaviour(
            "lists of policies in use",
            LIST_POLICIES,
            "AdministratorAccess ReadOnlyAccess mine, mine, idle mine",
            async |scene| {
                attach(scene, &policy(scene, "mine", ASKED).await).await;
                attach(scene, READ_ONLY).await;
                policy(scene, "idle", ASKED).await;
                let list = || scene.a.iam.list_policies();
                several([
                    names(list().only_attached(true)).await,
                    names(list().only_attached(true).scope(Local)).await,
                    names(list().scope(Local)).await,
                ])
            },
        ),
        behaviour("lists of policies that are boundaries", LIST_POLICIES, "limit, mine", async |scene| {
            attach(scene, &policy(scene, "mine", ASKED).await).await;
            let limit = policy(scene, "limit", "*").await;
            let put = scene.a.iam.put_user_permissions_boundary().user_name("alice").permissions_boundary(limit);
            put.send().await.expect("a permissions boundary");
            let list = |usage| scene.a.iam.list_policies().scope(Local).policy_usage_filter(usage);
            several([
                names(list(PolicyUsageType::PermissionsBoundary)).await,
                names(list(PolicyUsageType::PermissionsPolicy).only_attached(true)).await,
            ])
        }),
        behaviour("lists of policies are paginated", LIST_POLICIES, "2 of 3, 1 of 3", async |scene| {
            for name in ["one", "two", "three"] {
                policy(scene, name, ASKED).await;
            }
            let mut pages = scene.a.iam.list_policies().scope(Local).max_items(2).into_paginator().send();
            let mut told = Vec::new();
            while let Some(page) = pages.next().await {
                told.push(answer(page, |page| format!("{} of 3", page.policies().len())));
            }
            told.join(", ")
        }),
    ]
}

/// Creates the group `readers` in account A, with alice as a member.
async fn group(scene: &Scene) {
    let iam = &scene.a.iam;
    iam.create_group().group_name("readers").send().await.expect("a group");
    iam.add_user_to_group().group_name("readers").user_name("alice").send().await.expect("a membership");
}

fn groups() -> Vec<Behaviour> {
    vec![
        behaviour(
            "an inline policy of a group applies to its members",
            GROUPS,
            "403 AccessDenied, ok, 403 AccessDenied",
            async |scene| {
                group(scene).await;
                let before = asking(scene).await;
                let put = scene.a.iam.put_group_policy().group_name("readers").policy_name("may");
                put.policy_document(allow(ASKED, "*").to_string()).send().await.expect("a policy of the group");
                let with = asking(scene).await;
                let delete = scene.a.iam.delete_group_policy().group_name("readers").policy_name("may");
                delete.send().await.expect("no policy of the group");
                several([before, with, asking(scene).await])
            },
        ),
        behaviour(
            "an attached policy of a group applies to its members",
            GROUPS,
            "ok, 403 AccessDenied",
            async |scene| {
                group(scene).await;
                let arn = policy(scene, "mine", ASKED).await;
                let attach = scene.a.iam.attach_group_policy().group_name("readers").policy_arn(&arn);
                attach.send().await.expect("an attached policy");
                let with = asking(scene).await;
                let detach = scene.a.iam.detach_group_policy().group_name("readers").policy_arn(&arn);
                detach.send().await.expect("a detached policy");
                several([with, asking(scene).await])
            },
        ),
        behaviour(
            "a user who leaves a group loses its policies",
            GROUPS,
            "alice, ok, 403 AccessDenied, nobody",
            async |scene| {
                group(scene).await;
                let iam = &scene.a.iam;
                let put = iam.put_group_policy().group_name("readers").policy_name("may");
                put.policy_document(allow(ASKED, "*").to_string()).send().await.expect("a policy of the group");
                let members = async || {
                    answer(iam.get_group().group_name("readers").send().await, |output| {
                        output.users().first().map_or("nobody", |user| user.user_name()).to_owned()
                    })
                };
                let (before, with) = (members().await, asking(scene).await);
                let remove = iam.remove_user_from_group().group_name("readers").user_name("alice");
                remove.send().await.expect("no membership");
                several([before, with, asking(scene).await, members().await])
            },
        ),
        behaviour(
            "a membership of a missing group or user",
            ADD_USER_TO_GROUP,
            "404 NoSuchEntity, 404 NoSuchEntity",
            async |scene| {
                group(scene).await;
                let add = async |group: &str, user: &str| {
                    told(scene.a.iam.add_user_to_group().group_name(group).user_name(user).send().await)
                };
                several([add("none", "alice").await, add("readers", "none").await])
            },
        ),
        behaviour("deletion of a group with a member", DELETE_GROUP, "409 DeleteConflict", async |scene| {
            group(scene).await;
            told(scene.a.iam.delete_group().group_name("readers").send().await)
        }),
    ]
}

fn boundaries() -> Vec<Behaviour> {
    vec![behaviour(
        "a boundary of a user limits, is shown and can be removed",
        BOUNDARIES,
        "403 AccessDenied, arn:aws:iam::<A>:policy/limit, ok, none",
        async |scene| {
            let iam = &scene.a.iam;
            attach(scene, &policy(scene, "mine", ASKED).await).await;
            let limit = policy(scene, "limit", "s3:*").await;
            let put = iam.put_user_permissions_boundary().user_name("alice").permissions_boundary(limit);
            put.send().await.expect("a permissions boundary");
            let shown = async || {
                answer(iam.get_user().user_name("alice").send().await, |output| {
                    let boundary = output.user().and_then(|user| user.permissions_boundary());
                    boundary.and_then(|it| it.permissions_boundary_arn()).unwrap_or("none").to_owned()
                })
            };
            let (limited, before) = (asking(scene).await, shown().await);
            let delete = iam.delete_user_permissions_boundary().user_name("alice");
            delete.send().await.expect("no permissions boundary");
            several([limited, before, asking(scene).await, shown().await])
        },
    )]
}
