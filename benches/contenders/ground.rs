//! The environment of a job: two new accounts, on the sandbox or on ministack, and the network between.

use std::fmt;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_smithy_http_client::Builder;
use xacct_sandbox::world::{ACCOUNT_A, ACCOUNT_B, ADMIN_A, ADMIN_B, ALICE, KeyPair};
use xacct_sandbox::{RecordedRequest, Sandbox};

use crate::job::Job;
use crate::ministack;
use crate::result::Result;
use crate::support::{Authority, TestEnvironment};
use crate::wire::Wire;

/// The name of every role.
pub const ROLE: &str = "xacct";
/// The external ID of every link.
pub const EXTERNAL_ID: &str = "Qm4tZ7pXw2Lk9vRb";
/// The managed policy of every role.
pub const POLICY: &str = "AmazonS3FullAccess";
/// The region of every session and bucket.
pub const REGION: &str = "eu-west-1";

/// The server of the accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// The project's own sandbox.
    Sandbox,
    /// A third-party emulator, which Terraform needs because the sandbox serves only the requests of xacct.
    Ministack,
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sandbox => "sandbox",
            Self::Ministack => "ministack",
        })
    }
}

/// The network distance of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Distance {
    /// The latency of each request and, with TLS, of each connect and of each handshake: a round trip each.
    pub latency: Duration,
    /// Whether requests use TLS; then each service has its own host.
    pub tls: bool,
}

impl fmt::Display for Distance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tls = if self.tls { ", TLS" } else { "" };
        write!(f, "{} ms{tls}", self.latency.as_millis())
    }
}

/// Two new accounts, an operator in each and `alice` in the source account, with profiles for all.
pub struct Ground {
    /// The directory and the variables of the contender.
    pub environment: TestEnvironment,
    /// The source account.
    pub source: String,
    /// The target account.
    pub target: String,
    url: String,
    operators: [Credentials; 2],
    sandbox: Option<Sandbox>,
    wires: Vec<Wire>,
}

impl Ground {
    /// Creates accounts, without latency.
    pub fn new(server: Server) -> Result<Self> {
        match server {
            Server::Sandbox => Ok(Self::of(Sandbox::start())),
            Server::Ministack => Self::in_ministack(),
        }
    }

    /// Uses the accounts of a sandbox, whatever else it contains.
    pub fn of(sandbox: Sandbox) -> Self {
        let keys = |pair: KeyPair| keys(pair.id, pair.secret);
        let url = sandbox.url().to_owned();
        let operators = [keys(ADMIN_A), keys(ADMIN_B)];
        let mut ground = Self::with([ACCOUNT_A, ACCOUNT_B].map(str::to_owned), url, operators, &keys(ALICE));
        ground.sandbox = Some(sandbox);
        ground
    }

    /// In ministack, an account ID is the access key of that account's root user.
    fn in_ministack() -> Result<Self> {
        let url = ministack::shared()?.url.clone();
        let (source, target) = (random_account()?, random_account()?);
        let (of_source, of_target) = (iam(&url, &keys(&source, "any")), iam(&url, &keys(&target, "any")));
        let (security_admin, dev_admin, alice) = wait_for(async {
            tokio::try_join!(
                make_user(&of_source, "security-admin", true),
                make_user(&of_target, "dev-admin", true),
                make_user(&of_source, "alice", false),
            )
        })?;
        Ok(Self::with([source, target], url, [security_admin, dev_admin], &alice))
    }

    fn with([source, target]: [String; 2], url: String, operators: [Credentials; 2], alice: &Credentials) -> Self {
        let mut environment = TestEnvironment::new();
        let policy = format!("arn:aws:iam::aws:policy/{POLICY}");
        let bucket = format!("contenders-{target}");
        let settings = [
            ("source_account", source.as_str()),
            ("target_account", &target),
            ("role", ROLE),
            ("external_id", EXTERNAL_ID),
            ("policy_arn", &policy),
            ("bucket", &bucket),
        ];
        for (name, value) in settings {
            environment.set(&name.to_uppercase(), value);
            environment.set(&format!("TF_VAR_{name}"), value);
        }
        // boto3 and the AWS CLI read only the second of them.
        for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
            environment.set(name, REGION);
        }
        environment.set("AWS_ENDPOINT_URL", &url);
        let ground = Self { environment, source, target, url, operators, sandbox: None, wires: Vec::new() };
        let [security_admin, dev_admin] = &ground.operators;
        for (name, keys) in [("security-admin", security_admin), ("dev-admin", dev_admin), ("alice", alice)] {
            ground.profile(name, keys);
        }
        ground
    }

    /// Writes a profile. More settings can be appended to the config file.
    pub fn profile(&self, name: &str, keys: &Credentials) {
        let (id, secret) = (keys.access_key_id(), keys.secret_access_key());
        self.environment.append(".aws/config", &format!("[profile {name}]\nregion = {REGION}\n"));
        let keys = format!("aws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
        self.environment.append(".aws/credentials", &format!("[{name}]\n{keys}"));
    }

    /// Adds the latency and clears the recorded requests.
    pub fn move_away(&mut self, distance: Distance) {
        let Distance { latency, tls } = distance;
        if tls {
            let authority = Authority::new();
            self.environment.write("authority.pem", &authority.pem);
            let path = self.environment.path("authority.pem").display().to_string();
            self.environment.set("AWS_CA_BUNDLE", &path);
            for service in ["IAM", "STS", "S3"] {
                self.lay_wire(&format!("AWS_ENDPOINT_URL_{service}"), latency, Some(&authority));
            }
        }
        match &self.sandbox {
            Some(sandbox) => {
                sandbox.set_latency(latency);
                sandbox.clear_requests();
            }
            None if !latency.is_zero() => self.lay_wire("AWS_ENDPOINT_URL", latency, None),
            None => {}
        }
    }

    fn lay_wire(&mut self, variable: &str, delay: Duration, authority: Option<&Authority>) {
        let port = self.url.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).expect("a URL with a port");
        let wire = Wire::start(port, delay, authority);
        self.environment.set(variable, &wire.url());
        self.wires.push(wire);
    }

    /// Returns a code of alice's MFA device in the sandbox.
    pub fn code(&self) -> Option<String> {
        self.sandbox.as_ref().map(|sandbox| sandbox.totp("alice"))
    }

    /// Returns the requests to the sandbox since then; unknown for ministack.
    pub fn requests(&self) -> Option<Vec<RecordedRequest>> {
        self.sandbox.as_ref().map(Sandbox::requests)
    }

    /// Returns the number of connections; unknown for ministack without a wire.
    pub fn connections(&self) -> Option<usize> {
        if !self.wires.is_empty() {
            return Some(self.wires.iter().map(Wire::connections).sum());
        }
        let connections: std::collections::BTreeSet<_> =
            self.requests()?.iter().map(|request| request.connection).collect();
        Some(connections.len())
    }

    /// Checks that the job was done: the role exists with its policy and external ID, the grant exists, and the bucket
    /// was created and deleted.
    pub fn check(&self, job: Job) -> Result<()> {
        if let Some(sandbox) = &self.sandbox {
            sandbox.set_latency(Duration::ZERO);
        }
        let [source, target] = &self.operators;
        let (of_source, of_target) = (iam(&self.url, source), iam(&self.url, target));
        wait_for(async {
            let role = of_target.get_role().role_name(ROLE).send().await?;
            let trust = role.role().and_then(|role| role.assume_role_policy_document()).unwrap_or_default();
            ensure(trust.contains(EXTERNAL_ID), "the trust policy requires the external ID")?;
            let attached = of_target.list_attached_role_policies().role_name(ROLE).send().await?;
            let mut attached = attached.attached_policies().iter().filter_map(|policy| policy.policy_name());
            ensure(attached.any(|name| name == POLICY), "the policy is attached")?;
            let grant = of_source.get_user_policy().user_name("alice").policy_name(ROLE).send().await?;
            ensure(grant.policy_document().contains(&self.target), "the grant names the account")?;
            let buckets = s3(&self.url, target).list_buckets().send().await?;
            ensure(buckets.buckets().is_empty(), "no bucket is left")
        })?;
        match self.requests().filter(|_| matches!(job, Job::Whole | Job::Verify)) {
            Some(requests) => ["CreateBucket", "DeleteBucket"].iter().try_for_each(|operation| {
                let mut answered = requests.iter().filter(|request| request.operation == *operation);
                ensure(answered.any(|request| request.status.is_some_and(|status| status < 300)), operation)
            }),
            None => Ok(()),
        }
    }
}

fn ensure(holds: bool, what: &str) -> Result<()> {
    if holds { Ok(()) } else { Err(format!("it does not hold that: {what}").into()) }
}

/// An access key.
pub fn keys(id: &str, secret: &str) -> Credentials {
    Credentials::new(id, secret, None, None, "contenders")
}

fn iam(url: &str, keys: &Credentials) -> aws_sdk_iam::Client {
    let config = aws_sdk_iam::Config::builder()
        .behavior_version_latest()
        .http_client(Builder::new().build_http())
        .region(aws_sdk_iam::config::Region::new("us-east-1"))
        .endpoint_url(url)
        .credentials_provider(keys.clone());
    aws_sdk_iam::Client::from_conf(config.build())
}

fn s3(url: &str, keys: &Credentials) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version_latest()
        .http_client(Builder::new().build_http())
        .region(aws_sdk_s3::config::Region::new(REGION))
        .endpoint_url(url)
        .force_path_style(true)
        .credentials_provider(keys.clone());
    aws_sdk_s3::Client::from_conf(config.build())
}

async fn make_user(iam: &aws_sdk_iam::Client, name: &str, administrator: bool) -> Result<Credentials> {
    iam.create_user().user_name(name).send().await?;
    if administrator {
        let policy = "arn:aws:iam::aws:policy/AdministratorAccess";
        iam.attach_user_policy().user_name(name).policy_arn(policy).send().await?;
    }
    let made = iam.create_access_key().user_name(name).send().await?;
    let key = made.access_key().ok_or("no access key")?;
    Ok(keys(key.access_key_id(), key.secret_access_key()))
}

fn wait_for<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

fn random_account() -> Result<String> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes)?;
    Ok((100_000_000_000 + u64::from_le_bytes(bytes) % 900_000_000_000).to_string())
}
