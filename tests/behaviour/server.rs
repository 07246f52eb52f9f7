//! The two servers that emulate AWS.

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_iam::config::SharedHttpClient;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use xacct_sandbox::world::AccessKey;
use xacct_sandbox::{Sandbox, World};

use crate::keys::{Keys, US_EAST_1};
use crate::ministack::Ministack;

/// A kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// The sandbox of this repository.
    Sandbox,
    /// ministack, a third-party emulator.
    Ministack,
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

    fn new(process: Process) -> Self {
        // One for all clients. It reuses no connection: ministack closes idle ones, and a request may be on its way then.
        let http = aws_smithy_http_client::Builder::new()
            .pool_max_idle_per_host(0)
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .build_https();
        Self { process, http }
    }

    /// Returns the kind of server.
    pub fn name(&self) -> Name {
        match self.process {
            Process::Sandbox(_) => Name::Sandbox,
            Process::Ministack(_) => Name::Ministack,
        }
    }

    /// Returns an IAM client with these keys.
    pub fn iam(&self, keys: &Keys) -> aws_sdk_iam::Client {
        aws_sdk_iam::Client::new(&self.configuration(keys, US_EAST_1))
    }

    /// Returns an STS client with these keys.
    pub fn sts(&self, keys: &Keys) -> aws_sdk_sts::Client {
        aws_sdk_sts::Client::new(&self.configuration(keys, US_EAST_1))
    }

    /// Returns an S3 client with these keys in a Region.
    pub fn s3(&self, keys: &Keys, region: &'static str) -> aws_sdk_s3::Client {
        let configuration = aws_sdk_s3::config::Builder::from(&self.configuration(keys, region));
        aws_sdk_s3::Client::from_conf(configuration.force_path_style(true).build())
    }

    fn configuration(&self, keys: &Keys, region: &'static str) -> SdkConfig {
        let url = match &self.process {
            Process::Sandbox(sandbox) => sandbox.url(),
            Process::Ministack(ministack) => &ministack.url,
        };
        let credentials = Credentials::new(&keys.id, &keys.secret, keys.token.clone(), None, "behaviour");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(url)
            .region(Region::from_static(region))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .retry_config(RetryConfig::disabled())
            .http_client(self.http.clone())
            .build()
    }

    /// Creates an account and returns the access key of its root user.
    ///
    /// ministack accepts any account ID as the access key of that account's root user, with any secret. In the sandbox,
    /// the test creates such a key.
    pub fn open_account(&self, id: &str) -> Keys {
        let secret = "secret of the root user";
        if let Process::Sandbox(sandbox) = &self.process {
            let key = AccessKey { id: id.to_owned(), secret: secret.to_owned() };
            sandbox.world(|world| world.account_mut(id).root_keys.push(key));
        }
        Keys { id: id.to_owned(), secret: secret.to_owned(), token: None }
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
        }
    }
}
