#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use tokio::sync::Barrier;
use tokio::time::timeout;

use super::*;
use crate::aws::client::http;

fn access() -> Access {
    let client: SharedHttpClient = http::client(None, &|_| None).unwrap();
    Access::answered_by(client, "eu-west-1".parse().unwrap())
}

fn session(id: &str) -> Result<SessionCredentials> {
    Ok(SessionCredentials(Credentials::new(id, "none", None, None, "test")))
}

#[tokio::test]
async fn different_sessions_are_made_at_the_same_time() {
    let (mfa, access, both) = (Mfa::default(), access(), Barrier::new(2));
    let make = async |id| {
        both.wait().await;
        session(id)
    };
    let made = async {
        tokio::join!(
            mfa.once(&["a"], &access, async || make("A").await),
            mfa.once(&["b"], &access, async || make("B").await)
        )
    };
    let (a, b) = timeout(Duration::from_secs(20), made).await.expect("neither waits for the other");
    assert_eq!((a.unwrap().reveal().access_key_id, b.unwrap().reveal().access_key_id), ("A", "B"));
}

#[tokio::test]
async fn a_session_or_a_failure_is_made_once() {
    let (mfa, access, made) = (Mfa::default(), access(), AtomicUsize::new(0));
    for is_made in [true, false] {
        let name = if is_made { "made" } else { "failed" };
        let get = async || {
            let make = async || {
                made.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                if is_made { session("A") } else { Err(Error::new(Kind::Credentials, "no code")) }
            };
            mfa.once(&[name], &access, make).await.is_ok()
        };
        let (one, other) = tokio::join!(get(), get());
        assert_eq!([one, other, get().await], [is_made; 3]);
    }
    assert_eq!(made.into_inner(), 2);
}
