//! Role sessions: parameters, permissions, and expiry.

use aws_sdk_sts::types::Tag;
use serde_json::{Value, json};

use crate::keys::{EU_WEST_1, Keys, US_EAST_1};
use crate::scene::{ROLE, Scene, allow, answer, deny, document, in_full, several, told, trust};
use crate::sources::*;
use crate::suite::{Behaviour, behaviour};

const INVALID: &str = "400 ValidationError";
const TOO_LONG: &str =
    "400 ValidationError: The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
const TOO_LONG_FOR_A_CHAIN: &str = "400 ValidationError: The requested DurationSeconds exceeds the 1 hour session \
                                    limit for roles assumed by role chaining.";

pub fn behaviours() -> Vec<Behaviour> {
    [forms(), durations(), tags_and_identity(), identities(), lives()].into_iter().flatten().collect()
}

/// Parameter validation.
fn forms() -> Vec<Behaviour> {
    let named = |name, session_name: &'static str| {
        behaviour(name, LIVE, INVALID, async move |scene| {
            scene.link().await;
            told(scene.assume().role_session_name(session_name).send().await)
        })
    };
    let identified = |name, external_id: &'static str| {
        behaviour(name, LIVE, INVALID, async move |scene| {
            scene.link().await;
            told(scene.assume().external_id(external_id).send().await)
        })
    };
    vec![
        named("session name of one character", "x"),
        named("session name of 65 characters", "x2345678901234567890123456789012345678901234567890123456789012345"),
        named("session name with a space", "my session"),
        identified("external ID of one character", "x"),
        identified("external ID with a space", "my id"),
        behaviour("role ARN that is none", LIVE, INVALID, async |scene| {
            scene.grant("grant", &allow("sts:AssumeRole", "*")).await;
            told(scene.assume().role_arn("no ARN, but long enough").send().await)
        }),
        behaviour("session policy that is not JSON", ASSUME_ROLE, "400 MalformedPolicyDocument", async |scene| {
            scene.link().await;
            told(scene.assume().policy("{").send().await)
        }),
    ]
}

/// Session duration.
fn durations() -> Vec<Behaviour> {
    let lasting = |name, source, expected, seconds| {
        behaviour(name, source, expected, async move |scene| {
            scene.link().await;
            in_full(scene.assume().duration_seconds(seconds).send().await)
        })
    };
    vec![
        behaviour("duration outside 900 to 43200", LIVE, "400 ValidationError, 400 ValidationError", async |scene| {
            scene.link().await;
            several([
                told(scene.assume().duration_seconds(899).send().await),
                told(scene.assume().duration_seconds(43_201).send().await),
            ])
        }),
        lasting("duration over MaxSessionDuration", LIVE, TOO_LONG, 3601),
        behaviour(
            "duration up to a raised MaxSessionDuration",
            ASSUME_ROLE,
            "ok, 400 ValidationError",
            async |scene| {
                scene.link().await;
                scene.b.iam.update_role().role_name(ROLE).max_session_duration(7200).send().await.expect("a change");
                several([
                    told(scene.assume().duration_seconds(7200).send().await),
                    told(scene.assume().duration_seconds(7201).send().await),
                ])
            },
        ),
        behaviour("duration of an hour by default, and as asked", ASSUME_ROLE, "60 min, 15 min", async |scene| {
            scene.link().await;
            several([
                answer(scene.assume().send().await, |output| minutes_left(&output)),
                answer(scene.assume().duration_seconds(900).send().await, |output| minutes_left(&output)),
            ])
        }),
        behaviour("chaining", CHAINING, "ok", async |scene| {
            let session = chained(scene).await;
            told(scene.assume_as(&session).role_arn(scene.role_arn("second")).send().await)
        }),
        behaviour("chaining for more than an hour", LIVE, TOO_LONG_FOR_A_CHAIN, async |scene| {
            let session = chained(scene).await;
            let call = scene.assume_as(&session).role_arn(scene.role_arn("second"));
            in_full(call.duration_seconds(3601).send().await)
        }),
    ]
}

fn minutes_left(output: &aws_sdk_sts::operation::assume_role::AssumeRoleOutput) -> String {
    let end = output.credentials().expect("credentials").expiration();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time after 1970");
    let seconds = end.secs() - i64::try_from(now.as_secs()).expect("a time");
    format!("{} min", (seconds + 30) / 60)
}

/// Creates a session of the role that could assume role `second` for two hours if role chaining had no limit.
async fn chained(scene: &Scene) -> Keys {
    scene.link().await;
    scene.role_may(&allow("sts:AssumeRole", "*")).await;
    let trust = scene.filled(&trust(json!({ "AWS": "arn:aws:iam::<B>:root" }), json!({})));
    let role = scene.b.iam.create_role().role_name("second").assume_role_policy_document(trust);
    role.max_session_duration(7200).send().await.expect("a role");
    scene.session().await
}

/// Session tags and source identity need additional permissions on both sides.
fn tags_and_identity() -> Vec<Behaviour> {
    let actions = |all: bool, more: &str| if all { json!(["sts:AssumeRole", more]) } else { json!("sts:AssumeRole") };
    let link = move |trusted, granted, more: &'static str| {
        let trust = document(json!({
            "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::<A>:root" }, "Action": actions(trusted, more),
        }));
        (trust, allow(actions(granted, more), "*"))
    };
    let tagged = |name, expected, trusted, granted| {
        let (trust, grant) = link(trusted, granted, "sts:TagSession");
        behaviour(name, SESSION_TAGS, expected, async move |scene| {
            prepare(scene, &trust, &grant).await;
            let tag = Tag::builder().key("team").value("blue").build().expect("a tag");
            told(scene.assume().tags(tag).send().await)
        })
    };
    let contradictory = |name, keys: &'static [&'static str], transitive: Option<&'static str>| {
        let (trust, grant) = link(true, true, "sts:TagSession");
        behaviour(name, SNAPSHOTS, "400 InvalidParameterValue", async move |scene| {
            prepare(scene, &trust, &grant).await;
            let tags = keys.iter().map(|key| Tag::builder().key(*key).value("blue").build().expect("a tag"));
            let keys = transitive.map(|key| vec![key.to_owned()]);
            told(scene.assume().set_tags(Some(tags.collect())).set_transitive_tag_keys(keys).send().await)
        })
    };
    let identified = |name, expected, trusted, granted| {
        let (trust, grant) = link(trusted, granted, "sts:SetSourceIdentity");
        behaviour(name, SOURCE_IDENTITY, expected, async move |scene| {
            prepare(scene, &trust, &grant).await;
            let answered = scene.assume().source_identity("alice").send().await;
            answer(answered, |output| output.source_identity().unwrap_or("no source identity").to_owned())
        })
    };
    vec![
        tagged("session tags allowed by neither half", "403 AccessDenied", false, false),
        tagged("session tags allowed by the trust policy alone", "403 AccessDenied", true, false),
        tagged("session tags allowed by the grant alone", "403 AccessDenied", false, true),
        tagged("session tags allowed by both halves", "ok", true, true),
        contradictory("two session tags with one key", &["team", "Team"], None),
        contradictory("a transitive tag key without its tag", &["team"], Some("project")),
        identified("source identity allowed by neither half", "403 AccessDenied", false, false),
        identified("source identity allowed by the trust policy alone", "403 AccessDenied", true, false),
        identified("source identity allowed by the grant alone", "403 AccessDenied", false, true),
        identified("source identity allowed by both halves", "alice", true, true),
    ]
}

async fn prepare(scene: &Scene, trust: &Value, grant: &Value) {
    scene.role(trust).await;
    scene.grant("grant", grant).await;
}

/// GetCallerIdentity.
fn identities() -> Vec<Behaviour> {
    vec![
        behaviour(
            "GetCallerIdentity needs no permission",
            GET_CALLER_IDENTITY,
            "<A> arn:aws:iam::<A>:user/alice AIDA…",
            async |scene| identity(scene, &scene.alice).await,
        ),
        behaviour(
            "GetCallerIdentity cannot be denied",
            GET_CALLER_IDENTITY,
            "<A> arn:aws:iam::<A>:user/alice AIDA…",
            async |scene| {
                scene.grant("deny", &deny("*", "*")).await;
                identity(scene, &scene.alice).await
            },
        ),
        behaviour("the identity of a root user", ARNS, "<A> arn:aws:iam::<A>:root <A>", async |scene| {
            identity(scene, scene.root()).await
        }),
        behaviour(
            "the identity of a session",
            ARNS,
            "<B> arn:aws:sts::<B>:assumed-role/target/session AROA…:session",
            async |scene| {
                scene.link().await;
                identity(scene, &scene.session().await).await
            },
        ),
        behaviour(
            "a session's ARN leaves out the path of the role",
            LIVE,
            "<B> arn:aws:sts::<B>:assumed-role/deep/session AROA…:session",
            async |scene| {
                let trust = scene.filled(&trust(json!({ "AWS": "<A>" }), json!({})));
                let role = scene.b.iam.create_role().role_name("deep").path("/one/").assume_role_policy_document(trust);
                role.send().await.expect("a role");
                scene.grant("grant", &allow("sts:AssumeRole", "*")).await;
                let session = scene.assume().role_arn(scene.role_arn("one/deep")).send().await.expect("a session");
                identity(scene, &Keys::temporary(session.credentials())).await
            },
        ),
    ]
}

async fn identity(scene: &Scene, keys: &Keys) -> String {
    answer(scene.sts(keys).get_caller_identity().send().await, |output| {
        let parts = [output.account(), output.arn(), output.user_id()];
        parts.map(Option::unwrap_or_default).join(" ")
    })
}

/// What ends or changes a session.
fn lives() -> Vec<Behaviour> {
    vec![
        behaviour(
            "session of a deleted role",
            LIVE,
            "403 InvalidClientTokenId, 403 InvalidClientTokenId after it was made again",
            async |scene| {
                scene.link().await;
                let session = scene.session().await;
                scene.b.iam.delete_role().role_name(ROLE).send().await.expect("a deleted role");
                let deleted = identity(scene, &session).await;
                scene.role(&trust(json!({ "AWS": "<A>" }), json!({}))).await;
                several([deleted, identity(scene, &session).await + " after it was made again"])
            },
        ),
        behaviour("session after the trust policy changed", LIVE, "ok, 403 AccessDenied", async |scene| {
            scene.link().await;
            scene.role_may(&allow("s3:CreateBucket", "*")).await;
            let session = scene.session().await;
            scene.set_trust(&trust(json!({ "AWS": "<B>" }), json!({}))).await;
            let s3 = scene.s3(&session, US_EAST_1);
            let bucket = format!("bucket-{}", scene.b.id);
            several([told(s3.create_bucket().bucket(bucket).send().await), told(scene.assume().send().await)])
        }),
        behaviour("session after the permissions were removed", LIVE, "ok, 403 AccessDenied", async |scene| {
            scene.link().await;
            scene.role_may(&allow("s3:ListAllMyBuckets", "*")).await;
            let s3 = scene.s3(&scene.session().await, EU_WEST_1);
            let before = told(s3.list_buckets().send().await);
            let delete = scene.b.iam.delete_role_policy().role_name(ROLE).policy_name("may");
            delete.send().await.expect("a deleted policy");
            several([before, told(s3.list_buckets().send().await)])
        }),
        behaviour("session of a role calls GetSessionToken", GET_SESSION_TOKEN, "403 AccessDenied", async |scene| {
            scene.link().await;
            scene.role_may(&allow("sts:*", "*")).await;
            let session = scene.session().await;
            told(scene.sts(&session).get_session_token().send().await)
        }),
        behaviour(
            "source identity stays in a chain",
            LIVE,
            "alice, 400 ValidationError: The source identity is already set for this assume role session",
            async |scene| {
                let trust = |account: &str| {
                    document(json!({
                        "Effect": "Allow", "Principal": { "AWS": account },
                        "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"],
                    }))
                };
                prepare(scene, &trust("<A>"), &allow("sts:*", "*")).await;
                scene.role_may(&allow("sts:*", "*")).await;
                let second = scene.b.iam.create_role().role_name("second");
                let second = second.assume_role_policy_document(scene.filled(&trust("<B>")));
                second.send().await.expect("a role");
                let first = scene.assume().source_identity("alice").send().await.expect("a session");
                let chain = || {
                    let keys = Keys::temporary(first.credentials());
                    scene.assume_as(&keys).role_arn(scene.role_arn("second"))
                };
                let identity = answer(chain().send().await, |output| {
                    output.source_identity().unwrap_or("no source identity").to_owned()
                });
                several([identity, in_full(chain().source_identity("bob").send().await)])
            },
        ),
        behaviour("session of GetSessionToken assumes a role", GET_SESSION_TOKEN, "ok", async |scene| {
            scene.link().await;
            told(scene.assume_as(&session_token(scene).await).send().await)
        }),
        behaviour(
            "session of GetSessionToken assumes a role for more than an hour",
            LIKE_CHAINING,
            TOO_LONG_FOR_A_CHAIN,
            async |scene| {
                scene.link().await;
                scene.b.iam.update_role().role_name(ROLE).max_session_duration(7200).send().await.expect("a change");
                in_full(scene.assume_as(&session_token(scene).await).duration_seconds(3601).send().await)
            },
        ),
        behaviour(
            "session of GetSessionToken without MFA calls IAM",
            GET_SESSION_TOKEN,
            "403 InvalidClientTokenId",
            async |scene| {
                scene.grant("grant", &allow("iam:*", "*")).await;
                told(scene.iam(&session_token(scene).await).get_user().send().await)
            },
        ),
        behaviour(
            "session of GetSessionToken calls GetSessionToken",
            GET_SESSION_TOKEN,
            "403 AccessDenied",
            async |scene| {
                let session = session_token(scene).await;
                told(scene.sts(&session).get_session_token().send().await)
            },
        ),
    ]
}

async fn session_token(scene: &Scene) -> Keys {
    let session = scene.sts(&scene.alice).get_session_token().send().await.expect("a session");
    Keys::temporary(session.credentials())
}
