//! Authentication.

use crate::keys::{Keys, US_EAST_1};
use crate::scene::{Scene, several, told};
use crate::sources::*;
use crate::suite::{Behaviour, behaviour};

/// Returns the answers of STS, IAM and S3 to these keys.
async fn asked(scene: &Scene, keys: &Keys) -> String {
    several([
        told(scene.sts(keys).get_caller_identity().send().await),
        told(scene.iam(keys).get_user().send().await),
        told(scene.s3(keys, US_EAST_1).list_buckets().send().await),
    ])
}

pub fn behaviours() -> Vec<Behaviour> {
    let invalid_token = "403 InvalidClientTokenId, 403 InvalidClientTokenId, 400 InvalidToken";
    vec![
        behaviour(
            "a wrong secret",
            COMMON_ERRORS,
            "403 SignatureDoesNotMatch, 403 SignatureDoesNotMatch, 403 SignatureDoesNotMatch",
            async |scene| asked(scene, &Keys { secret: "wrong".to_owned(), ..scene.b.admin.clone() }).await,
        ),
        behaviour(
            "an unknown access key",
            COMMON_ERRORS,
            "403 InvalidClientTokenId, 403 InvalidClientTokenId, 403 InvalidAccessKeyId",
            async |scene| asked(scene, &Keys { id: "AKIAIOSFODNN7NOBODYS".to_owned(), ..scene.b.admin.clone() }).await,
        ),
        behaviour("a session's keys with a wrong token", LIVE, invalid_token, async |scene| {
            scene.link().await;
            let session = scene.session().await;
            asked(scene, &Keys { token: Some("wrong".to_owned()), ..session }).await
        }),
        behaviour("a user's keys with a token", LIVE, invalid_token, async |scene| {
            asked(scene, &Keys { token: Some("stray".to_owned()), ..scene.b.admin.clone() }).await
        }),
        behaviour(
            "a session's keys without their token",
            LIVE,
            "403 InvalidClientTokenId, 403 InvalidClientTokenId, 403 InvalidAccessKeyId",
            async |scene| {
                scene.link().await;
                let session = scene.session().await;
                asked(scene, &Keys { token: None, ..session }).await
            },
        ),
    ]
}
