//! Buckets: names, locations, owners, and permissions to create them.

use aws_sdk_s3::operation::create_bucket::builders::CreateBucketFluentBuilder;
use aws_sdk_s3::types::{BucketLocationConstraint, BucketNamespace, CreateBucketConfiguration, Tag};
use serde_json::Value;

use crate::keys::{EU_WEST_1, Keys, US_EAST_1};
use crate::scene::{ROLE, Scene, allow, answer, deny, in_full, several, told};
use crate::sources::*;
use crate::suite::{Behaviour, behaviour};

/// Returns a unique bucket name.
fn name(scene: &Scene) -> String {
    format!("{}bucket-{}", scene.server.prefix(), scene.b.id)
}

fn in_region(request: CreateBucketFluentBuilder, region: &str) -> CreateBucketFluentBuilder {
    let location = CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::from(region));
    request.create_bucket_configuration(location.build())
}

/// Creates a bucket in a Region, as the administrator of account B.
async fn with_bucket(scene: &Scene, region: &'static str) -> aws_sdk_s3::Client {
    let s3 = scene.s3(&scene.b.admin, region);
    let create = s3.create_bucket().bucket(name(scene));
    let create = if region == US_EAST_1 { create } else { in_region(create, region) };
    create.send().await.expect("a bucket");
    s3
}

/// Creates a session of a role with these permissions.
async fn session(scene: &Scene, policy: &Value) -> Keys {
    scene.link().await;
    scene.role_may(policy).await;
    scene.session().await
}

pub fn behaviours() -> Vec<Behaviour> {
    [owners(), places(), tags(), permissions(), ends()].into_iter().flatten().collect()
}

fn owners() -> Vec<Behaviour> {
    vec![
        behaviour("HeadBucket with the right and a wrong owner", BUCKET_OWNER, "us-east-1, 403", async |scene| {
            let s3 = with_bucket(scene, US_EAST_1).await;
            let head = async |owner: &str| {
                let head = s3.head_bucket().bucket(name(scene)).expected_bucket_owner(owner).send().await;
                answer(head, |output| output.bucket_region().unwrap_or("no region").to_owned())
            };
            several([head(&scene.b.id).await, head(&scene.a.id).await])
        }),
        behaviour(
            "DeleteBucket with a wrong and the right owner",
            BUCKET_OWNER,
            "403 AccessDenied, ok",
            async |scene| {
                let s3 = with_bucket(scene, US_EAST_1).await;
                let delete = async |owner: &str| {
                    told(s3.delete_bucket().bucket(name(scene)).expected_bucket_owner(owner).send().await)
                };
                several([delete(&scene.a.id).await, delete(&scene.b.id).await])
            },
        ),
        behaviour(
            "a bucket of another account",
            S3_ERRORS,
            "403, 403 AccessDenied, 409 BucketAlreadyExists",
            async |scene| {
                with_bucket(scene, US_EAST_1).await;
                let other = scene.s3(&scene.a.admin, US_EAST_1);
                several([
                    told(other.head_bucket().bucket(name(scene)).send().await),
                    told(other.delete_bucket().bucket(name(scene)).send().await),
                    told(other.create_bucket().bucket(name(scene)).send().await),
                ])
            },
        ),
        behaviour("one's own bucket again in us-east-1", CREATE_BUCKET, "ok", async |scene| {
            let s3 = with_bucket(scene, US_EAST_1).await;
            told(s3.create_bucket().bucket(name(scene)).send().await)
        }),
        behaviour(
            "one's own bucket again in us-east-1, with tags",
            SNAPSHOTS,
            "409 BucketAlreadyOwnedByYou",
            async |scene| {
                let s3 = with_bucket(scene, US_EAST_1).await;
                told(tagged(s3.create_bucket().bucket(name(scene))).send().await)
            },
        ),
        behaviour("one's own bucket again elsewhere", CREATE_BUCKET, "409 BucketAlreadyOwnedByYou", async |scene| {
            let s3 = with_bucket(scene, EU_WEST_1).await;
            told(in_region(s3.create_bucket().bucket(name(scene)), EU_WEST_1).send().await)
        }),
    ]
}

/// Returns the Region of the bucket.
async fn region(s3: &aws_sdk_s3::Client, scene: &Scene) -> String {
    answer(s3.head_bucket().bucket(name(scene)).send().await, |output| {
        output.bucket_region().unwrap_or("no region").to_owned()
    })
}

fn places() -> Vec<Behaviour> {
    let creating = |name_of_case, source, expected, region, constraint: Option<&'static str>| {
        behaviour(name_of_case, source, expected, async move |scene| {
            let create = scene.s3(&scene.b.admin, region).create_bucket().bucket(name(scene));
            let create = match constraint {
                Some(constraint) => in_region(create, constraint),
                None => create,
            };
            told(create.send().await)
        })
    };
    let illegal = "400 IllegalLocationConstraintException";
    vec![
        creating("us-east-1 without a location", CREATE_BUCKET, "ok", US_EAST_1, None),
        creating("us-east-1 as a location", CREATE_BUCKET, "400 InvalidLocationConstraint", US_EAST_1, Some(US_EAST_1)),
        creating("eu-west-1 with its location", CREATE_BUCKET, "ok", EU_WEST_1, Some(EU_WEST_1)),
        creating("eu-west-1 without a location", S3_ERRORS, illegal, EU_WEST_1, None),
        creating("eu-west-1 with another location", S3_ERRORS, illegal, EU_WEST_1, Some("eu-central-1")),
        creating("an invalid location", LIVE_S3, "400 InvalidLocationConstraint", US_EAST_1, Some("moon-1")),
        behaviour("us-east-1 with another location", LIVE_S3, "ok, eu-west-1", async |scene| {
            let create = scene.s3(&scene.b.admin, US_EAST_1).create_bucket().bucket(name(scene));
            let created = told(in_region(create, EU_WEST_1).send().await);
            several([created, region(&scene.s3(&scene.b.admin, EU_WEST_1), scene).await])
        }),
        behaviour("the region of a bucket", HEAD_BUCKET, "eu-west-1", async |scene| {
            let s3 = with_bucket(scene, EU_WEST_1).await;
            region(&s3, scene).await
        }),
        behaviour(
            "mistakes with the namespace of a bucket",
            LIVE,
            "400 MissingNamespaceHeader, 400 InvalidNamespaceHeader, 400 InvalidBucketNamespace, ok",
            async |scene| {
                let s3 = scene.s3(&scene.b.admin, US_EAST_1);
                let regional = format!("bucket-{}-us-east-1-an", scene.b.id);
                let create = async |name: &str, namespace: Option<BucketNamespace>| {
                    told(s3.create_bucket().bucket(name).set_bucket_namespace(namespace).send().await)
                };
                several([
                    create(&regional, None).await,
                    create(&regional, Some(BucketNamespace::Global)).await,
                    create(&name(scene), Some(BucketNamespace::AccountRegional)).await,
                    create(&regional, Some(BucketNamespace::AccountRegional)).await,
                ])
            },
        ),
        behaviour(
            "invalid bucket names",
            BUCKET_NAMES,
            "400 InvalidBucketName, 400 InvalidBucketName, 400 InvalidBucketName",
            async |scene| {
                let s3 = scene.s3(&scene.b.admin, US_EAST_1);
                let create = async |name: &str| told(s3.create_bucket().bucket(name).send().await);
                several([create("ab").await, create("Bucket-In-Capitals").await, create("xn--bucket").await])
            },
        ),
    ]
}

fn tagged(request: CreateBucketFluentBuilder) -> CreateBucketFluentBuilder {
    let tag = Tag::builder().key("team").value("blue").build().expect("a tag");
    request.create_bucket_configuration(CreateBucketConfiguration::builder().tags(tag).build())
}

fn tags() -> Vec<Behaviour> {
    vec![
        behaviour("a bucket created with tags", CREATE_BUCKET, "ok, team=blue", async |scene| {
            let s3 = scene.s3(&scene.b.admin, US_EAST_1);
            let created = told(tagged(s3.create_bucket().bucket(name(scene))).send().await);
            let tags = answer(s3.get_bucket_tagging().bucket(name(scene)).send().await, |output| {
                let tags = output.tag_set().iter().map(|tag| format!("{}={}", tag.key(), tag.value()));
                tags.collect::<Vec<_>>().join(" ")
            });
            several([created, tags])
        }),
        behaviour("a bucket with tags without s3:TagResource", CREATE_BUCKET, "403 AccessDenied", async |scene| {
            let keys = session(scene, &allow("s3:CreateBucket", "*")).await;
            told(tagged(scene.s3(&keys, US_EAST_1).create_bucket().bucket(name(scene))).send().await)
        }),
        behaviour("a bucket without tags", S3_ERRORS, "404 NoSuchTagSet", async |scene| {
            let s3 = with_bucket(scene, US_EAST_1).await;
            told(s3.get_bucket_tagging().bucket(name(scene)).send().await)
        }),
    ]
}

fn permissions() -> Vec<Behaviour> {
    vec![
        behaviour(
            "a session has the permissions of its role",
            EVALUATION,
            "ok, 403, 403 AccessDenied, 403 AccessDenied",
            async |scene| {
                let keys = session(scene, &allow("s3:CreateBucket", "arn:aws:s3:::bucket-*")).await;
                let s3 = scene.s3(&keys, US_EAST_1);
                several([
                    told(s3.create_bucket().bucket(name(scene)).send().await),
                    told(s3.head_bucket().bucket(name(scene)).send().await),
                    told(s3.delete_bucket().bucket(name(scene)).send().await),
                    told(s3.create_bucket().bucket(format!("other-{}", name(scene))).send().await),
                ])
            },
        ),
        behaviour("a session of a role without policies", EVALUATION, "403 AccessDenied", async |scene| {
            scene.link().await;
            let s3 = scene.s3(&scene.session().await, US_EAST_1);
            told(s3.create_bucket().bucket(name(scene)).send().await)
        }),
        behaviour(
            "a session of a role with ReadOnlyAccess, and with PowerUserAccess",
            MANAGED_POLICIES,
            "ok, 403 AccessDenied, then ok, 403 AccessDenied from IAM",
            async |scene| {
                scene.link().await;
                let attach = async |policy: &str| {
                    let arn = format!("arn:aws:iam::aws:policy/{policy}");
                    let attach = scene.b.iam.attach_role_policy().role_name(ROLE).policy_arn(arn);
                    attach.send().await.expect("an attached policy");
                };
                let keys = scene.session().await;
                let s3 = scene.s3(&keys, US_EAST_1);
                let create = async || told(s3.create_bucket().bucket(name(scene)).send().await);
                attach("ReadOnlyAccess").await;
                let read_only = several([told(s3.list_buckets().send().await), create().await]);
                attach("PowerUserAccess").await;
                let user = scene.iam(&keys).create_user().user_name("mallory");
                let power = several([create().await, told(user.send().await)]);
                format!("{read_only}, then {power} from IAM")
            },
        ),
        behaviour("a session policy narrows", SESSION_POLICIES, "ok, 403 AccessDenied", async |scene| {
            scene.link().await;
            scene.role_may(&allow("s3:*", "*")).await;
            let policy = allow("s3:ListAllMyBuckets", "*").to_string();
            let session = scene.assume().policy(policy).send().await.expect("a session");
            let s3 = scene.s3(&Keys::temporary(session.credentials()), US_EAST_1);
            several([told(s3.list_buckets().send().await), told(s3.create_bucket().bucket(name(scene)).send().await)])
        }),
        behaviour("a session policy does not widen", SESSION_POLICIES, "403 AccessDenied", async |scene| {
            scene.link().await;
            let policy = allow("s3:*", "*").to_string();
            let session = scene.assume().policy(policy).send().await.expect("a session");
            told(scene.s3(&Keys::temporary(session.credentials()), US_EAST_1).list_buckets().send().await)
        }),
        behaviour("a boundary of the role narrows", BOUNDARIES, "ok, 403 AccessDenied", async |scene| {
            let policy = scene.b.iam.create_policy().policy_name("boundary");
            let policy = policy.policy_document(allow("s3:ListAllMyBuckets", "*").to_string());
            let policy = policy.send().await.expect("a managed policy");
            let arn = policy.policy().and_then(|policy| policy.arn()).expect("its ARN");
            let keys = session(scene, &allow("s3:*", "*")).await;
            let put = scene.b.iam.put_role_permissions_boundary().role_name(ROLE).permissions_boundary(arn);
            put.send().await.expect("a boundary");
            let s3 = scene.s3(&keys, US_EAST_1);
            several([told(s3.list_buckets().send().await), told(s3.create_bucket().bucket(name(scene)).send().await)])
        }),
        behaviour(
            "the message of a denial names the managed policy",
            PASTED,
            "403 AccessDenied: User: arn:aws:sts::<B>:assumed-role/target/session is not authorized to perform: \
             s3:ListAllMyBuckets on resource: \"arn:aws:s3:::*\" with an explicit deny in an identity-based policy: \
             arn:aws:iam::<B>:policy/no-lists",
            async |scene| {
                let policy = scene.b.iam.create_policy().policy_name("no-lists");
                let policy = policy.policy_document(deny("s3:ListAllMyBuckets", "*").to_string());
                let policy = policy.send().await.expect("a managed policy");
                let arn = policy.policy().and_then(|policy| policy.arn()).expect("its ARN");
                let keys = session(scene, &allow("s3:*", "*")).await;
                scene.b.iam.attach_role_policy().role_name(ROLE).policy_arn(arn).send().await.expect("attached");
                in_full(scene.s3(&keys, US_EAST_1).list_buckets().send().await)
            },
        ),
        behaviour("a user without permission", EVALUATION, "403 AccessDenied", async |scene| {
            told(scene.s3(&scene.alice, US_EAST_1).create_bucket().bucket(name(scene)).send().await)
        }),
    ]
}

fn ends() -> Vec<Behaviour> {
    vec![
        behaviour("deletion of a bucket that is not empty", DELETE_BUCKET, "409 BucketNotEmpty", async |scene| {
            let s3 = with_bucket(scene, US_EAST_1).await;
            s3.put_object().bucket(name(scene)).key("key").send().await.expect("an object");
            told(s3.delete_bucket().bucket(name(scene)).send().await)
        }),
        behaviour("a missing bucket", S3_ERRORS, "404 NotFound, 404 NoSuchBucket", async |scene| {
            let s3 = scene.s3(&scene.b.admin, US_EAST_1);
            several([
                told(s3.head_bucket().bucket(name(scene)).send().await),
                told(s3.delete_bucket().bucket(name(scene)).send().await),
            ])
        }),
        behaviour("a bucket after its deletion", NAMES_FREE_AT_ONCE, "ok, 404 NotFound, ok", async |scene| {
            let s3 = with_bucket(scene, US_EAST_1).await;
            several([
                told(s3.delete_bucket().bucket(name(scene)).send().await),
                told(s3.head_bucket().bucket(name(scene)).send().await),
                told(s3.create_bucket().bucket(name(scene)).send().await),
            ])
        }),
    ]
}
