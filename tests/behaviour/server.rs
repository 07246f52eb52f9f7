//! The two servers that emulate AWS.

use std::sync::Arc;

use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_iam::config::SharedHttpClient;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use serde_json::json;
use xacct_sandbox::world::AccessKey;
use xacct_sandbox::{Sandbox, World};

use crate::keys::{Keys, US_EAST_1};
use crate::ministack::Ministack;
use crate::place::{NOT_ASKED, Place};

/// A kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// The sandbox of this repository.
    Sandbox,
    /// ministack, a third-party emulator.
    Ministack,
    /// AWS itself: two real accounts.
    Aws,
}

/// A running server, initially without accounts.
pub struct Server {
    process: Process,
    http: SharedHttpClient,
}

enum Process {
    /// The kind of server.
    Sandbox(Sandbox),
    /// One ministack for all tests of this binary.
    Ministack(&'static Ministack),
    /// Two real accounts, with the names of one behaviour.
    Aws(Arc<Place>),
    /// Two real accounts, with names as they are.
    Plain(Option<String>),
}

/// Returns a client. It reuses no connection: ministack closes idle ones, and a request may be on its way then.
pub fn http() -> SharedHttpClient {
    let http = aws_smithy_http_client::Builder::new().pool_max_idle_per_host(0);
    http.tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}

impl Server {
    /// Starts a sandbox without accounts, delays or faults.
    pub fn sandbox() -> Self {
        Self::new(Process::Sandbox(Sandbox::builder().world(World::empty()).start()))
    }

    /// Returns the running ministack.
    pub fn ministack(ministack: &'static Ministack) -> Self {
        Self::new(Process::Ministack(ministack))
    }

    /// Returns two real accounts, for one behaviour.
    pub fn aws(place: Arc<Place>) -> Self {
        Self::new(Process::Aws(place))
    }

    /// Returns AWS, or what stands in for it, with names as they are.
    pub fn plain(endpoint: Option<String>) -> Self {
        Self::new(Process::Plain(endpoint))
    }

    /// Returns the prefix of all names.
    pub fn prefix(&self) -> &str {
        match &self.process {
            Process::Aws(place) => &place.prefix,
            _ => "",
        }
    }

    fn new(process: Process) -> Self {
        Self { process, http: http() }
    }

    /// Returns the kind of server.
    pub fn name(&self) -> Name {
        match self.process {
            Process::Sandbox(_) => Name::Sandbox,
            Process::Ministack(_) => Name::Ministack,
            Process::Aws(_) | Process::Plain(_) => Name::Aws,
        }
    }

    /// Returns an IAM client with these keys.
    pub fn iam(&self, keys: &Keys) -> aws_sdk_iam::Client {
        let mut config = aws_sdk_iam::config::Builder::from(&self.configuration(keys, US_EAST_1));
        if let Process::Aws(place) = &self.process {
            config = config.interceptor(place.names(keys));
        }
        aws_sdk_iam::Client::from_conf(config.build())
    }

    /// Returns an STS client with these keys.
    pub fn sts(&self, keys: &Keys) -> aws_sdk_sts::Client {
        let mut config = aws_sdk_sts::config::Builder::from(&self.configuration(keys, US_EAST_1));
        if let Process::Aws(place) = &self.process {
            config = config.interceptor(place.names(keys));
        }
        aws_sdk_sts::Client::from_conf(config.build())
    }

    /// Returns an S3 client with these keys in a Region.
    pub fn s3(&self, keys: &Keys, region: &'static str) -> aws_sdk_s3::Client {
        let mut configuration = aws_sdk_s3::config::Builder::from(&self.configuration(keys, region));
        if let Process::Aws(place) = &self.process {
            configuration = configuration.interceptor(place.names(keys));
        }
        aws_sdk_s3::Client::from_conf(configuration.force_path_style(true).build())
    }

    fn configuration(&self, keys: &Keys, region: &'static str) -> SdkConfig {
        let url = match &self.process {
            Process::Sandbox(sandbox) => Some(sandbox.url()),
            Process::Ministack(ministack) => Some(&*ministack.url),
            Process::Aws(place) => place.accounts.endpoint.as_deref(),
            Process::Plain(endpoint) => endpoint.as_deref(),
        };
        let credentials = Credentials::new(&keys.id, &keys.secret, keys.token.clone(), None, "behaviour");
        let mut config = SdkConfig::builder();
        config.set_endpoint_url(url.map(str::to_owned));
        config
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static(region))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .retry_config(RetryConfig::disabled())
            // On a busy machine hundreds of behaviours side by side may each wait for more than a second.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .http_client(self.http.clone())
            .build()
    }

    /// Creates an account and returns its ID and the access key of its root user. Of two real accounts, returns the next
    /// one and its administrator's credentials.
    ///
    /// ministack accepts any account ID as the access key of that account's root user, with any secret. In the sandbox,
    /// the test creates such a key.
    pub fn open_account(&self) -> (String, Keys) {
        if let Process::Aws(place) = &self.process {
            return place.next();
        }
        let id = random_account_id();
        let secret = "secret of the root user";
        if let Process::Sandbox(sandbox) = &self.process {
            let key = AccessKey { id: id.clone(), secret: secret.to_owned() };
            sandbox.world(|world| world.account_mut(&id).root_keys.push(key));
        }
        (id.clone(), Keys { id, secret: secret.to_owned(), token: None })
    }

    /// Creates a role at a path where Identity Center creates roles. `iam` is the IAM client of an administrator; the
    /// sandbox leaves this to the test.
    pub async fn add_reserved_role(&self, account: &str, iam: &aws_sdk_iam::Client, path: &str, name: &str) {
        let trust = json!({ "Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Action": "sts:AssumeRoleWithSAML",
            "Principal": { "Federated": format!("arn:aws:iam::{account}:saml-provider/AWSSSO") },
        } });
        match &self.process {
            Process::Sandbox(sandbox) => sandbox.world(|world| {
                path.clone_into(&mut world.add_role(account, name, trust).path);
            }),
            Process::Ministack(_) => {
                let create = iam.create_role().role_name(name).path(path);
                create.assume_role_policy_document(trust.to_string()).send().await.expect("a role");
            }
            Process::Aws(_) | Process::Plain(_) => panic!("{NOT_ASKED}only Identity Center creates such a role"),
        }
    }

    /// Puts an account into an organization. ministack evaluates no key for it.
    pub fn join_organization(&self, account: &str, organization: &str) {
        match &self.process {
            Process::Sandbox(sandbox) => sandbox.world(|world| world.set_organization(account, organization)),
            Process::Ministack(_) => {}
            Process::Aws(_) | Process::Plain(_) => panic!("{NOT_ASKED}an account stays in its organization"),
        }
    }

    /// Creates an MFA device for a user and returns its serial number and current code. `iam` is the IAM client of a
    /// principal with the necessary permissions; the sandbox has no such operation.
    pub async fn add_mfa_device(&self, account: &str, iam: &aws_sdk_iam::Client, user: &str) -> (String, String) {
        match &self.process {
            Process::Sandbox(sandbox) => {
                let serial = sandbox.world(|world| world.add_mfa_device(account, user, b"seed".to_vec()));
                // All devices share one seed, so users of the same name in other accounts do not matter.
                (serial, sandbox.totp(user))
            }
            Process::Ministack(_) => {
                let device = iam.create_virtual_mfa_device().virtual_mfa_device_name(user);
                let device = device.send().await.expect("an MFA device");
                let serial = device.virtual_mfa_device().expect("an MFA device").serial_number();
                let request = iam.enable_mfa_device().user_name(user).serial_number(serial);
                let request = request.authentication_code1("123456").authentication_code2("654321");
                request.send().await.expect("an enabled MFA device");
                // ministack does not check codes.
                (serial.to_owned(), "123456".to_owned())
            }
            Process::Aws(_) | Process::Plain(_) => {
                panic!("{NOT_ASKED}an MFA device would have to be made and its codes waited for")
            }
        }
    }
}

fn random_account_id() -> String {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).expect("random bytes");
    (100_000_000_000 + u64::from_le_bytes(bytes) % 900_000_000_000).to_string()
}
