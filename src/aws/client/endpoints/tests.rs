#![allow(clippy::expect_used, reason = "a test may panic")]

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;

use super::*;
use crate::aws::client::access::Access;

#[test]
fn aws_endpoints_have_a_region() {
    for (url, region) in [
        ("https://sts.eu-central-1.amazonaws.com", Some("eu-central-1")),
        ("https://STS.eu-central-1.amazonaws.com:443/", Some("eu-central-1")),
        ("https://sts-fips.us-east-2.amazonaws.com", Some("us-east-2")),
        ("https://s3.dualstack.eu-west-1.amazonaws.com", Some("eu-west-1")),
        ("https://vpce-1-a.sts.eu-west-1.vpce.amazonaws.com", Some("eu-west-1")),
        ("https://sts.cn-north-1.amazonaws.com.cn", Some("cn-north-1")),
        ("https://sts.eu-west-3.api.aws", Some("eu-west-3")),
        ("https://sts.amazonaws.com", Some("us-east-1")),
        ("https://iam.amazonaws.com", Some("us-east-1")),
        ("https://iam.us-gov.amazonaws.com", Some("us-gov-west-1")),
        ("https://sts.eu-central-1.example.com", None),
        ("https://notamazonaws.com", None),
        ("http://127.0.0.1:4603", None),
        ("http://localhost", None),
        ("", None),
    ] {
        assert_eq!(region_of(url).as_ref().map(Region::as_str), region, "{url}");
    }
}

/// Records for which Region and service requests are signed, and answers none.
#[derive(Debug, Clone, Default)]
struct Scopes(Arc<Mutex<Vec<String>>>);

impl HttpConnector for Scopes {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let signed = request.headers().get("authorization").unwrap_or_default();
        let scope = signed.split('/').skip(2).take(2).collect::<Vec<_>>().join("/");
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(scope);
        HttpConnectorFuture::ready(Err(ConnectorError::user("no answer".into())))
    }
}

#[tokio::test]
async fn requests_are_signed_for_the_region_of_the_endpoint() {
    for (endpoint, sts, iam) in [
        ("https://sts.eu-central-1.amazonaws.com", "eu-central-1/sts", "eu-central-1/iam"),
        ("https://iam.amazonaws.com", "us-east-1/sts", "us-east-1/iam"),
        ("http://127.0.0.1:1", "eu-west-1/sts", "eu-west-1/iam"),
    ] {
        let scopes = Scopes::default();
        let seen = scopes.clone();
        let client = http_client_fn(move |_, _| SharedHttpConnector::new(scopes.clone()));
        let mut access = Access::answered_by(client, "eu-west-1".parse().expect("a Region"));
        access.config = access.config.into_builder().endpoint_url(endpoint).build();
        let _ = access.sts().get_caller_identity().send().await;
        let _ = access.iam().get_user().send().await;
        assert_eq!(*seen.0.lock().unwrap_or_else(PoisonError::into_inner), [sts, iam], "{endpoint}");
    }
}

#[test]
fn s3_endpoints_of_other_regions_are_refused() {
    let config = |url: &str| SdkConfig::builder().endpoint_url(url).build();
    let region: Region = "us-east-1".parse().expect("a Region");
    assert!(check_s3(&config("http://127.0.0.1:1"), &region).is_ok());
    assert!(check_s3(&config("https://s3.us-east-1.amazonaws.com"), &region).is_ok());
    assert!(check_s3(&config("https://s3.eu-west-1.amazonaws.com"), &region).is_err());
}

#[test]
fn removes_passwords() {
    for (url, shown) in [
        ("https://me:secret@host:1/a@b", "https://host:1/a@b"),
        ("https://host/?a@b", "https://host/"),
        ("https://me:secret@host/x?token=1#2", "https://host/x"),
        ("http://127.0.0.1:4603", "http://127.0.0.1:4603"),
    ] {
        assert_eq!(without_password(url), shown);
    }
}
