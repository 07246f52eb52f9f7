//! IAM: what it stores, what it rejects, and its error messages.

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::scene::{ROLE, Scene, allow, answer, document, in_full, new_key, several, told, trust};
use crate::sources::*;
use crate::suite::{Behaviour, behaviour};

const MALFORMED: &str = "400 MalformedPolicyDocument";
const INVALID: &str = "400 ValidationError";
const TOO_MUCH: &str = "409 LimitExceeded";
const READ_ONLY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";

/// A trust policy for account A.
fn in_a() -> Value {
    trust(json!({ "AWS": "arn:aws:iam::<A>:root" }), json!({}))
}

/// Creating, changing and deleting roles.
pub fn roles() -> Vec<Behaviour> {
    [trust_policies(), names(), changes(), ends()].into_iter().flatten().collect()
}

/// Observes what becomes of a trust policy that is saved.
fn saving(name: &'static str, source: Source, expected: &'static str, policy: Value) -> Behaviour {
    behaviour(name, source, expected, async move |scene| {
        let create = scene.b.iam.create_role().role_name(ROLE);
        told(create.assume_role_policy_document(scene.filled(&policy)).send().await)
    })
}

/// Returns the trust policy of the role as IAM returns it.
async fn trust_read(scene: &Scene) -> Value {
    let role = scene.b.iam.get_role().role_name(ROLE).send().await.expect("a role");
    let text = role.role().and_then(|role| role.assume_role_policy_document()).expect("a trust policy");
    serde_json::from_str(&percent_decode_str(text).decode_utf8_lossy()).expect("JSON")
}

fn trust_policies() -> Vec<Behaviour> {
    let statement = |more: Value| {
        let mut statement = json!({
            "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::<A>:root" }, "Action": "sts:AssumeRole",
        });
        statement.as_object_mut().zip(more.as_object()).into_iter().for_each(|(all, more)| all.extend(more.clone()));
        document(statement)
    };
    let in_principal = |name: &str| trust(json!({ "AWS": format!("arn:aws:iam::<A>:{name}") }), json!({}));
    let without_principal = document(json!({ "Effect": "Allow", "Action": "sts:AssumeRole" }));
    let mut unknown_version = statement(json!({}));
    unknown_version["Version"] = json!("2026-01-01");
    let long = json!({ "StringEquals": { "sts:ExternalId": "x".repeat(2048) } });
    vec![
        behaviour(
            "trust in a user that does not exist",
            TROUBLESHOOTING_ROLES,
            "400 MalformedPolicyDocument: Invalid principal in policy: \"AWS\":\"arn:aws:iam::<A>:user/nobody\"",
            async |scene| {
                let policy = scene.filled(&trust(json!({ "AWS": "arn:aws:iam::<A>:user/nobody" }), json!({})));
                let create = scene.b.iam.create_role().role_name(ROLE).assume_role_policy_document(policy);
                in_full(create.send().await)
            },
        ),
        saving("trust in a user in different case", PRINCIPAL, MALFORMED, in_principal("user/Alice")),
        saving("trust in users by a wildcard", PRINCIPAL, MALFORMED, in_principal("user/*")),
        saving("trust in a group", PRINCIPAL, MALFORMED, in_principal("group/developers")),
        saving("trust policy with a resource", GRAMMAR, MALFORMED, statement(json!({ "Resource": "*" }))),
        saving("trust policy without a principal", GRAMMAR, MALFORMED, without_principal),
        saving("trust policy with an unknown element", GRAMMAR, MALFORMED, statement(json!({ "Effects": "Allow" }))),
        saving("trust policy with an unknown version", GRAMMAR, MALFORMED, unknown_version),
        saving("trust policy with an unknown effect", GRAMMAR, MALFORMED, statement(json!({ "Effect": "allow" }))),
        behaviour("trust policy that is not JSON", CREATE_ROLE, MALFORMED, async |scene| {
            told(scene.b.iam.create_role().role_name(ROLE).assume_role_policy_document("{").send().await)
        }),
        saving(
            "trust policy of more than 2048 characters",
            QUOTAS,
            TOO_MUCH,
            trust(json!({ "AWS": "arn:aws:iam::<A>:root" }), long),
        ),
        behaviour(
            "trust in an account ID reads as its root",
            PRINCIPAL,
            "{\"AWS\":\"arn:aws:iam::<A>:root\"}",
            async |scene| {
                scene.role(&trust(json!({ "AWS": "<A>" }), json!({}))).await;
                principal(scene).await
            },
        ),
        behaviour(
            "trust in a deleted user reads as a unique ID",
            PRINCIPAL,
            "{\"AWS\":\"arn:aws:iam::<A>:user/bob\"} then {\"AWS\":\"AIDA…\"}",
            async |scene| {
                trust_bob(scene).await;
                let before = principal(scene).await;
                scene.a.iam.delete_user().user_name("bob").send().await.expect("a deleted user");
                format!("{before} then {}", principal(scene).await)
            },
        ),
        behaviour("trust in a recreated user", PRINCIPAL, "{\"AWS\":\"AIDA…\"}, 403 AccessDenied", async |scene| {
            trust_bob(scene).await;
            let iam = &scene.a.iam;
            iam.delete_user().user_name("bob").send().await.expect("a deleted user");
            iam.create_user().user_name("bob").send().await.expect("a user");
            let grant = iam.put_user_policy().user_name("bob").policy_name("grant");
            let grant = grant.policy_document(allow("sts:AssumeRole", "*").to_string());
            grant.send().await.expect("a policy");
            let keys = new_key(iam, "bob").await;
            several([principal(scene).await, told(scene.assume_as(&keys).send().await)])
        }),
        behaviour("lists of one stay lists", SNAPSHOTS, "[\"sts:AssumeRole\"]", async |scene| {
            let mut policy = in_a();
            policy["Statement"]["Action"] = json!(["sts:AssumeRole"]);
            scene.role(&policy).await;
            trust_read(scene).await["Statement"]["Action"].to_string()
        }),
        behaviour("the order of principals changes from read to read", READS, "2 orders", async |scene| {
            scene.role(&trust(json!({ "AWS": ["arn:aws:iam::<A>:root", "arn:aws:iam::<B>:root"] }), json!({}))).await;
            let mut orders = std::collections::BTreeSet::new();
            for _ in 0..14 {
                orders.insert(trust_read(scene).await["Statement"]["Principal"].to_string());
            }
            format!("{} orders", orders.len())
        }),
        behaviour("documents are URL-encoded", GET_ROLE, "encoded, encoded", async |scene| {
            scene.link().await;
            let role = scene.b.iam.get_role().role_name(ROLE).send().await.expect("a role");
            let trust = role.role().and_then(|role| role.assume_role_policy_document()).unwrap_or_default().to_owned();
            let policy = scene.a.iam.get_user_policy().user_name("alice").policy_name("grant");
            let policy = policy.send().await.expect("a policy");
            let is_encoded = |text: &str| text.starts_with("%7B%22") && decoded(text).is_object();
            let told = |text: &str| if is_encoded(text) { "encoded".to_owned() } else { text.to_owned() };
            several([told(&trust), told(policy.policy_document())])
        }),
    ]
}

async fn trust_bob(scene: &Scene) {
    scene.a.iam.create_user().user_name("bob").send().await.expect("a user");
    scene.role(&trust(json!({ "AWS": "arn:aws:iam::<A>:user/bob" }), json!({}))).await;
}

fn decoded(document: &str) -> Value {
    let text = percent_decode_str(document).decode_utf8_lossy();
    serde_json::from_str(&text).unwrap_or_default()
}

/// Returns the principal of the only statement in the role's trust policy.
async fn principal(scene: &Scene) -> String {
    answer(scene.b.iam.get_role().role_name(ROLE).send().await, |output| {
        let document =
            output.role().and_then(|role| role.assume_role_policy_document()).map(decoded).unwrap_or_default();
        let statement = &document["Statement"];
        let statement = statement.get(0).unwrap_or(statement);
        statement["Principal"].to_string()
    })
}

fn names() -> Vec<Behaviour> {
    vec![
        behaviour(
            "a role that exists, and the same in different case",
            QUOTAS,
            "409 EntityAlreadyExists: Role with name target already exists., 409 EntityAlreadyExists",
            async |scene| {
                scene.role(&in_a()).await;
                let create = |name: &str| {
                    scene.b.iam.create_role().role_name(name).assume_role_policy_document(scene.filled(&in_a()))
                };
                several([in_full(create("target").send().await), told(create("Target").send().await)])
            },
        ),
        behaviour("an existing user in different case", QUOTAS, "409 EntityAlreadyExists", async |scene| {
            told(scene.a.iam.create_user().user_name("Alice").send().await)
        }),
        behaviour(
            "missing names",
            GET_ROLE,
            "404 NoSuchEntity: The role with name none cannot be found., \
             404 NoSuchEntity: The user with name none cannot be found., \
             404 NoSuchEntity: The user policy with name none cannot be found., \
             404 NoSuchEntity: The role policy with name none cannot be found.",
            async |scene| {
                scene.role(&in_a()).await;
                let (a, b) = (&scene.a.iam, &scene.b.iam);
                several([
                    in_full(b.get_role().role_name("none").send().await),
                    in_full(a.get_user().user_name("none").send().await),
                    in_full(a.get_user_policy().user_name("alice").policy_name("none").send().await),
                    in_full(b.get_role_policy().role_name(ROLE).policy_name("none").send().await),
                ])
            },
        ),
        behaviour("role name of 65 characters", ONLY_THE_RULE, INVALID, async |scene| {
            let create = scene.b.iam.create_role().role_name("x".repeat(65));
            told(create.assume_role_policy_document(scene.filled(&in_a())).send().await)
        }),
        behaviour("role name with a space", ONLY_THE_RULE, INVALID, async |scene| {
            let create = scene.b.iam.create_role().role_name("my role");
            told(create.assume_role_policy_document(scene.filled(&in_a())).send().await)
        }),
        behaviour(
            "a role with a path",
            ARNS,
            "arn:aws:iam::<B>:role/one/two/target /one/two/, 400 ValidationError",
            async |scene| {
                let create = |path: &str| {
                    let create = scene.b.iam.create_role().role_name(ROLE).path(path);
                    create.assume_role_policy_document(scene.filled(&in_a()))
                };
                create("/one/two/").send().await.expect("a role");
                let role = answer(scene.b.iam.get_role().role_name(ROLE).send().await, |output| {
                    output.role().map(|role| format!("{} {}", role.arn(), role.path())).unwrap_or_default()
                });
                several([role, told(create("one").send().await)])
            },
        ),
        behaviour("GetUser without a name returns the caller", GET_USER, "alice", async |scene| {
            scene.grant("grant", &allow("iam:GetUser", "*")).await;
            answer(scene.iam(&scene.alice).get_user().send().await, |output| {
                output.user().map(|user| user.user_name().to_owned()).unwrap_or_default()
            })
        }),
    ]
}

fn changes() -> Vec<Behaviour> {
    vec![
        behaviour(
            "MaxSessionDuration outside 3600 to 43200",
            ONLY_THE_RULE,
            "400 ValidationError, 400 ValidationError",
            async |scene| {
                let create = async |seconds| {
                    let create = scene.b.iam.create_role().role_name(ROLE).max_session_duration(seconds);
                    told(create.assume_role_policy_document(scene.filled(&in_a())).send().await)
                };
                several([create(3599).await, create(43_201).await])
            },
        ),
        behaviour(
            "UpdateRole without MaxSessionDuration sets one hour",
            UPDATE_ROLE,
            "7200 then 3600 new words",
            async |scene| {
                scene.role(&in_a()).await;
                let update = || scene.b.iam.update_role().role_name(ROLE);
                update().max_session_duration(7200).description("words").send().await.expect("a change");
                let before = settings(scene).await;
                update().description("new words").send().await.expect("a change");
                format!("{} then {}", before.trim_end_matches(" words"), settings(scene).await)
            },
        ),
        behaviour(
            "tags are replaced by key, ignoring case",
            TAGS,
            "created=a, Team=red, then created=a",
            async |scene| {
                let tag = |key: &str, value: &str| {
                    aws_sdk_iam::types::Tag::builder().key(key).value(value).build().expect("a tag")
                };
                let iam = &scene.b.iam;
                let create = iam.create_role().role_name(ROLE).assume_role_policy_document(scene.filled(&in_a()));
                create.tags(tag("created", "a")).tags(tag("team", "blue")).send().await.expect("a role");
                iam.tag_role().role_name(ROLE).tags(tag("Team", "red")).send().await.expect("a tag");
                let before = tags(scene).await;
                iam.untag_role().role_name(ROLE).tag_keys("Team").send().await.expect("no tag");
                format!("{before}, then {}", tags(scene).await)
            },
        ),
        behaviour("a boundary of a user, over the wire", BOUNDARIES, "ok", async |scene| {
            let put = scene.a.iam.put_user_permissions_boundary().user_name("alice").permissions_boundary(READ_ONLY);
            told(put.send().await)
        }),
        behaviour("an MFA device, over the wire", MFA, "ok", async |scene| {
            told(scene.a.iam.create_virtual_mfa_device().virtual_mfa_device_name("phone").send().await)
        }),
        behaviour("a boundary that does not exist", CREATE_ROLE, "404 NoSuchEntity, 404 NoSuchEntity", async |scene| {
            let boundary = format!("arn:aws:iam::{}:policy/none", scene.b.id);
            let create = scene.b.iam.create_role().role_name(ROLE).permissions_boundary(&boundary);
            let created = told(create.assume_role_policy_document(scene.filled(&in_a())).send().await);
            scene.b.iam.delete_role().role_name(ROLE).send().await.ok();
            scene.role(&in_a()).await;
            let put = scene.b.iam.put_role_permissions_boundary().role_name(ROLE).permissions_boundary(boundary);
            several([created, told(put.send().await)])
        }),
    ]
}

async fn settings(scene: &Scene) -> String {
    answer(scene.b.iam.get_role().role_name(ROLE).send().await, |output| {
        let role = output.role().expect("a role");
        let duration = role.max_session_duration().unwrap_or_default();
        format!("{duration} {}", role.description().unwrap_or_default())
    })
}

async fn tags(scene: &Scene) -> String {
    answer(scene.b.iam.list_role_tags().role_name(ROLE).send().await, |output| {
        let mut tags: Vec<_> = output.tags().iter().map(|tag| format!("{}={}", tag.key(), tag.value())).collect();
        tags.sort_by_key(|tag| tag.to_lowercase());
        tags.join(", ")
    })
}

fn ends() -> Vec<Behaviour> {
    vec![
        behaviour("deletion of a role with an inline policy", DELETE_ROLE, "409 DeleteConflict", async |scene| {
            scene.role(&in_a()).await;
            scene.role_may(&allow("s3:*", "*")).await;
            told(scene.b.iam.delete_role().role_name(ROLE).send().await)
        }),
        behaviour("deletion of a role with an attached policy", DELETE_ROLE, "409 DeleteConflict, ok", async |scene| {
            scene.role(&in_a()).await;
            let iam = &scene.b.iam;
            iam.attach_role_policy().role_name(ROLE).policy_arn(READ_ONLY).send().await.expect("an attached policy");
            let early = told(iam.delete_role().role_name(ROLE).send().await);
            iam.detach_role_policy().role_name(ROLE).policy_arn(READ_ONLY).send().await.expect("a detached policy");
            several([early, told(iam.delete_role().role_name(ROLE).send().await)])
        }),
        behaviour("a deleted key", COMMON_ERRORS, "ok, 403 InvalidClientTokenId", async |scene| {
            let delete = scene.a.iam.delete_access_key().user_name("alice").access_key_id(&scene.alice.id);
            let deleted = told(delete.send().await);
            several([deleted, told(scene.sts(&scene.alice).get_caller_identity().send().await)])
        }),
        behaviour("deletion of a user with a key", DELETE_USER, "409 DeleteConflict", async |scene| {
            told(scene.a.iam.delete_user().user_name("alice").send().await)
        }),
    ]
}

/// Permissions of users and roles.
pub fn policies() -> Vec<Behaviour> {
    let put = async |scene: &Scene, name: &str, document: String| {
        let put = scene.a.iam.put_user_policy().user_name("alice").policy_name(name).policy_document(document);
        told(put.send().await)
    };
    let saving = |name, policy: Value| {
        behaviour(name, GRAMMAR, MALFORMED, async move |scene| put(scene, "policy", policy.to_string()).await)
    };
    let of_length = |length: usize| {
        let empty = allow("sts:AssumeRole", "arn:aws:iam::*:role/").to_string();
        allow("sts:AssumeRole", format!("arn:aws:iam::*:role/{}", "x".repeat(length - empty.len()))).to_string()
    };
    let with_principal = json!({ "Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*" });
    vec![
        saving("policy of a user with a principal", document(with_principal)),
        saving("policy of a user without a resource", document(json!({ "Effect": "Allow", "Action": "s3:*" }))),
        saving("policy of a user without a vendor in the action", allow("AssumeRole", "*")),
        saving("policy of a user without statements", document(json!([]))),
        behaviour(
            "policy of a user of 2048 characters, and of 2049",
            QUOTAS,
            "ok, 409 LimitExceeded",
            async move |scene| {
                several([put(scene, "policy", of_length(2048)).await, put(scene, "policy", of_length(2049)).await])
            },
        ),
        behaviour("the policies of a user share a quota", QUOTAS, "ok, 409 LimitExceeded, ok", async move |scene| {
            several([
                put(scene, "one", of_length(1500)).await,
                put(scene, "two", of_length(1500)).await,
                put(scene, "one", of_length(1600)).await,
            ])
        }),
        behaviour("whitespace in a policy does not count toward the quota", QUOTAS, "ok", async move |scene| {
            put(scene, "policy", of_length(2000).replace(',', &format!(",{}", " ".repeat(100)))).await
        }),
        behaviour(
            "a managed policy that does not exist",
            ATTACH_ROLE_POLICY,
            "404 NoSuchEntity, 404 NoSuchEntity",
            async |scene| {
                scene.role(&in_a()).await;
                let attach = async |arn: String| {
                    told(scene.b.iam.attach_role_policy().role_name(ROLE).policy_arn(arn).send().await)
                };
                let own = format!("arn:aws:iam::{}:policy/none", scene.b.id);
                several([attach("arn:aws:iam::aws:policy/NoSuchPolicyOfAws".to_owned()).await, attach(own).await])
            },
        ),
        behaviour("AWS's own policies can be attached", MANAGED_POLICIES, "ok, ok, ok, ok, ok", async |scene| {
            scene.role(&in_a()).await;
            let attach = async |policy: &str| {
                let arn = format!("arn:aws:iam::aws:policy/{policy}");
                told(scene.b.iam.attach_role_policy().role_name(ROLE).policy_arn(arn).send().await)
            };
            several([
                attach("AdministratorAccess").await,
                attach("PowerUserAccess").await,
                attach("SecurityAudit").await,
                attach("AmazonS3FullAccess").await,
                attach("job-function/ViewOnlyAccess").await,
            ])
        }),
        behaviour(
            "attaching twice has no further effect",
            ATTACH_ROLE_POLICY,
            "ok, ok, ReadOnlyAccess",
            async |scene| {
                scene.role(&in_a()).await;
                let attach =
                    async || told(scene.b.iam.attach_role_policy().role_name(ROLE).policy_arn(READ_ONLY).send().await);
                let (first, second) = (attach().await, attach().await);
                let list = scene.b.iam.list_attached_role_policies().role_name(ROLE).send().await;
                let names = answer(list, |output| {
                    let names = output.attached_policies().iter().filter_map(|policy| policy.policy_name());
                    names.collect::<Vec<_>>().join(" ")
                });
                several([first, second, names])
            },
        ),
        behaviour(
            "a call without permission",
            TROUBLESHOOTING_DENIED,
            "403 AccessDenied: User: arn:aws:iam::<A>:user/alice is not authorized to perform: iam:GetUser on \
             resource: arn:aws:iam::<A>:user/admin because no identity-based policy allows the iam:GetUser action",
            async |scene| in_full(scene.iam(&scene.alice).get_user().user_name("admin").send().await),
        ),
        behaviour("a missing role, without permission to read it", LIVE, "403 AccessDenied", async |scene| {
            scene.grant("grant", &allow("iam:GetRole", "arn:aws:iam::<A>:role/deep/*")).await;
            told(scene.iam(&scene.alice).get_role().role_name("none").send().await)
        }),
    ]
}
