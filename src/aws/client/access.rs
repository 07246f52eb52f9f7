//! Credentials with a Region, and the SDK clients that use them.

use std::sync::{Arc, OnceLock};

use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_iam::config::{IdentityCache, SharedIdentityCache};
use aws_smithy_runtime_api::client::http::HttpClient;
use aws_smithy_types::retry::RetryConfig;

use crate::aws::client::endpoints;
use crate::aws::client::rate_limit::{Pace, USUAL_RATE};
use crate::aws::client::request_ids::RequestIds;
use crate::aws::client::retry::TooManyRequests;
use crate::aws::keys::SessionCredentials;
use crate::environment::Machine;
use crate::iam::arn::Partition;
use crate::iam::names::Region;
use crate::text::shell::ShellCommand;

/// Access to AWS with one set of credentials.
#[derive(Debug, Clone)]
pub struct Access {
    /// The origin of the credentials, as shown to users: `profile dev-admin`, `environment`.
    pub origin: String,
    /// The profile of the credentials, if any.
    pub profile: Option<String>,
    /// The command that signs in again, if the profile needs one.
    pub signs_in: Option<ShellCommand>,
    /// The Region of STS and S3 calls.
    pub region: Region,
    /// Whether the credentials are temporary, not a user's access key.
    pub is_session: bool,
    /// The part of this machine that provided them, if no profile did.
    pub machine: Option<Machine>,
    /// Whether the Region was configured; otherwise it is the fallback.
    pub has_region: bool,
    pub(in crate::aws) key_id: String,
    pub(in crate::aws) path_style: bool,
    pub(in crate::aws) pace: Pace,
    pub(in crate::aws) config: SdkConfig,
    /// Clients for exactly this configuration; a changed configuration needs new ones.
    pub(in crate::aws) clients: Arc<Clients>,
}

/// The SDK's clients, each created on first use.
#[derive(Debug, Default)]
pub(in crate::aws) struct Clients {
    iam: OnceLock<aws_sdk_iam::Client>,
    sts: OnceLock<aws_sdk_sts::Client>,
    s3: OnceLock<aws_sdk_s3::Client>,
}

impl Access {
    /// Creates access in which this HTTP client answers instead of AWS, without retries and with dummy credentials, for
    /// tests.
    #[must_use]
    pub fn answered_by(client: impl HttpClient + 'static, region: Region) -> Self {
        let credentials = Credentials::new("AKIAEXAMPLE", "none", None, None, "nobody");
        let key_id = credentials.access_key_id().to_owned();
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(client)
            .retry_config(RetryConfig::disabled())
            .identity_cache(shared_identity_cache())
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .region(aws_types::region::Region::new(region.to_string()))
            .build();
        Self {
            origin: "nobody".to_owned(),
            profile: None,
            signs_in: None,
            region,
            is_session: false,
            machine: None,
            has_region: true,
            key_id,
            path_style: false,
            pace: Pace::new(USUAL_RATE),
            config,
            clients: Arc::default(),
        }
    }

    /// Returns the same endpoints and connections with the credentials of a session.
    #[must_use]
    pub fn with_session(&self, session: &SessionCredentials, origin: String) -> Self {
        let credentials = SharedCredentialsProvider::new(session.0.clone());
        let config = self.config.clone().into_builder().credentials_provider(credentials);
        Self {
            origin,
            profile: None,
            signs_in: None,
            is_session: true,
            machine: None,
            key_id: session.0.access_key_id().to_owned(),
            config: config.identity_cache(shared_identity_cache()).build(),
            clients: Arc::default(),
            ..self.clone()
        }
    }

    /// Returns the same credentials in another Region.
    #[must_use]
    pub fn in_region(&self, region: &Region) -> Self {
        if self.region == *region {
            return Self { has_region: true, ..self.clone() };
        }
        let config = self.config.clone().into_builder().region(aws_types::region::Region::new(region.to_string()));
        Self {
            region: region.clone(),
            has_region: true,
            config: config.build(),
            clients: Arc::default(),
            ..self.clone()
        }
    }

    /// Returns the access key ID, which is not a secret.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// Returns the partition of the Region.
    #[must_use]
    pub fn partition(&self) -> Partition {
        self.region.partition()
    }

    /// Returns the custom endpoints, such as that of `AWS_ENDPOINT_URL`. Reports show them, so that users notice if a command
    /// ran against the wrong one.
    #[must_use]
    pub fn endpoints(&self) -> Vec<String> {
        endpoints::of(&self.config, &endpoints::SERVICES)
    }

    pub(in crate::aws) fn iam(&self) -> aws_sdk_iam::Client {
        let client = || {
            let mut config = aws_sdk_iam::config::Builder::from(&self.config).retry_classifier(TooManyRequests);
            if let Some(region) = endpoints::signing_region(&self.config, "IAM") {
                config = config.region(aws_types::region::Region::new(region.to_string()));
            }
            aws_sdk_iam::Client::from_conf(config.build())
        };
        self.clients.iam.get_or_init(client).clone()
    }

    pub(in crate::aws) fn sts(&self) -> aws_sdk_sts::Client {
        self.clients.sts.get_or_init(|| self.new_sts()).clone()
    }

    /// Creates a client without storing it: with many accounts, stored clients add up.
    pub(in crate::aws) fn new_sts(&self) -> aws_sdk_sts::Client {
        let mut config = aws_sdk_sts::config::Builder::from(&self.config).retry_classifier(TooManyRequests);
        config = config.interceptor(RequestIds);
        config.set_http_client(self.config.http_client().map(|client| self.pace.before(client)));
        if let Some(region) = endpoints::signing_region(&self.config, "STS") {
            config = config.region(aws_types::region::Region::new(region.to_string()));
        }
        aws_sdk_sts::Client::from_conf(config.build())
    }

    pub(in crate::aws) fn s3(&self) -> aws_sdk_s3::Client {
        self.clients.s3.get_or_init(|| aws_sdk_s3::Client::from_conf(self.s3_config(&self.config).build())).clone()
    }

    /// Creates an anonymous client with the same endpoint and connections. `None` for plain HTTP, where connecting is
    /// fast.
    pub(in crate::aws) fn anonymous_s3(&self) -> Option<aws_sdk_s3::Client> {
        if endpoints::of(&self.config, &["S3"]).iter().any(|url| url.starts_with("http:")) {
            return None;
        }
        let mut config = self.config.to_builder();
        config.set_credentials_provider(None);
        let config = self.s3_config(&config.build()).allow_no_auth().retry_config(RetryConfig::disabled());
        Some(aws_sdk_s3::Client::from_conf(config.build()))
    }

    fn s3_config(&self, config: &SdkConfig) -> aws_sdk_s3::config::Builder {
        let local = endpoints::of(config, &["S3"]).iter().any(|url| endpoints::is_local(url));
        let config = aws_sdk_s3::config::Builder::from(config).force_path_style(self.path_style || local);
        config.retry_classifier(TooManyRequests).interceptor(RequestIds)
    }
}

/// Creates an identity cache for all clients of one access; without it, each client would call SSO or a
/// `credential_process` again.
pub(in crate::aws) fn shared_identity_cache() -> SharedIdentityCache {
    IdentityCache::lazy().build()
}
