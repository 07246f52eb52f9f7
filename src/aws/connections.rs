//! Ways into accounts: profiles, regions, and one HTTP connection pool for all.

use std::collections::BTreeMap;
use std::iter::successors;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::imds::region::ImdsRegionProvider;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileSet};
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::credential_feature::AwsCredentialFeature;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_credential_types::provider::error::CredentialsError;
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::os_shim_internal::{Env, Fs};
use tokio::sync::OnceCell;

use crate::aws::client::access::{Access, shared_identity_cache};
use crate::aws::client::endpoints::Notice;
use crate::aws::client::http::{self, Bundle};
use crate::aws::client::rate_limit::{Pace, USUAL_RATE};
use crate::aws::credentials::config_files::Files;
use crate::aws::credentials::mfa::Mfa;
use crate::aws::credentials::provider::{Once, features, origin};
use crate::aws::credentials::role_chain::{self, Base, Chain};
use crate::aws::credentials::session_cache::Warn;
use crate::aws::sts;
use crate::error::{Error, Kind, Result};
use crate::iam::names::{AccountId, Region, RoleName};
use crate::text::word;

/// The region whose STS and IAM are used when nothing names one: every partition `aws` account has it.
const FALLBACK_REGION: &str = "us-east-1";

/// Opens access to accounts: one connection pool, and the profiles of the AWS config files, read once.
#[derive(Debug, Clone)]
pub struct Connections {
    /// One for each CA bundle; nearly always there is one.
    pools: Arc<Mutex<BTreeMap<Option<Bundle>, SharedHttpClient>>>,
    profiles: Arc<ProfileSet>,
    files: Arc<Files>,
    mfa: Arc<Mfa>,
    region: Option<Region>,
    of_machine: Arc<OnceCell<Option<String>>>,
    path_style: bool,
    pace: Pace,
    notice: Notice,
}

impl Connections {
    /// Reads the AWS config files and prepares the pool; connects to nothing. `tell` hears of endpoints that are not AWS's
    /// own, before anything is sent there.
    ///
    /// # Errors
    /// When a config file cannot be read or parsed.
    pub async fn open(region: Option<Region>, path_style: bool, tell: Warn) -> Result<Self> {
        let profiles =
            aws_config::profile::load(&Fs::real(), &Env::real(), &Default::default(), None).await.map_err(|error| {
                Error::new(Kind::File, format!("the AWS config files cannot be read: {}", chain(&error)))
            })?;
        // What is wrong with the way for every profile is heard of before anything is sent.
        let bundle = Bundle::find(&variable, None);
        let pool = http::client(bundle.as_ref(), &variable)?;
        let pools = Arc::new(Mutex::new(BTreeMap::from([(bundle, pool)])));
        Ok(Self {
            pools,
            profiles: Arc::new(profiles),
            files: Arc::new(Files::read(&variable)),
            mfa: Arc::default(),
            region,
            of_machine: Arc::default(),
            path_style,
            pace: Pace::new(USUAL_RATE),
            notice: Notice::new(tell),
        })
    }

    /// With what there is to pass MFA with.
    #[must_use]
    pub fn with_mfa(self, mfa: Mfa) -> Self {
        Self { mfa: Arc::new(mfa), ..self }
    }

    /// With this many requests a second to STS at most, whoever signs them.
    #[must_use]
    pub fn with_sts_rate(self, rate: u16) -> Self {
        Self { pace: Pace::new(rate), ..self }
    }

    /// What there is to pass MFA with, and the sessions that were made with it.
    #[must_use]
    pub fn mfa(&self) -> &Arc<Mfa> {
        &self.mfa
    }

    /// The pool for a profile, which may name a CA bundle of its own.
    fn pool(&self, profile: Option<&str>) -> Result<SharedHttpClient> {
        let profile = profile.unwrap_or_else(|| self.profiles.selected_profile());
        let of_profile = self.profile_setting(profile, "ca_bundle").map(|path| (profile, path));
        let bundle = Bundle::find(&variable, of_profile);
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = pools.get(&bundle) {
            return Ok(pool.clone());
        }
        let pool = http::client(bundle.as_ref(), &variable)?;
        pools.insert(bundle, pool.clone());
        Ok(pool)
    }

    /// The credentials of a profile, or those that the usual chain finds (environment, `AWS_PROFILE`, SSO, …).
    ///
    /// # Errors
    /// When the profile does not exist, or its credentials cannot be had.
    pub async fn access(&self, profile: Option<&str>) -> Result<Access> {
        if let Some(name) = profile {
            self.require(name)?;
        }
        if let Some(chain) = self.chain(profile)? {
            return self.walk(&chain, profile.unwrap_or_else(|| self.profiles.selected_profile())).await;
        }
        let provider = match profile {
            Some(name) => Some(self.profile_provider(name).await?),
            None => None,
        };
        self.open_with(profile, provider).await
    }

    /// The chain of a profile that `aws-config` would not resolve as other tools do.
    fn chain(&self, profile: Option<&str>) -> Result<Option<Chain>> {
        let is_set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
        if profile.is_none() && is_set("AWS_ACCESS_KEY_ID") && is_set("AWS_SECRET_ACCESS_KEY") {
            return Ok(None);
        }
        let exists = |name: &str| self.profiles.get_profile(name).is_some();
        let get = |name: &str, key: &str| self.profile_setting(name, key).map(str::to_owned);
        role_chain::chain(&exists, &get, profile.unwrap_or_else(|| self.profiles.selected_profile()))
    }

    /// Assumes the roles of a chain, one after the other.
    async fn walk(&self, chain: &Chain, name: &str) -> Result<Access> {
        let place = |error: Error| error.context(format!("profile `{name}`"));
        let provider = match &chain.base {
            Base::Profile(base) => self.profile_provider(base).await?,
            Base::Keys(base) => {
                let setting = |key: &str| self.profile_setting(base, key).unwrap_or_default();
                let token = self.profile_setting(base, "aws_session_token").map(str::to_owned);
                let (id, secret) = (setting("aws_access_key_id"), setting("aws_secret_access_key"));
                SharedCredentialsProvider::new(Credentials::new(id, secret, token, None, "profile"))
            }
            Base::Environment => SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()),
            Base::Instance => {
                let conf = self.provider_config(name).await?;
                SharedCredentialsProvider::new(ImdsCredentialsProvider::builder().configure(&conf).build())
            }
            Base::Container => {
                let conf = self.provider_config(name).await?;
                SharedCredentialsProvider::new(EcsCredentialsProvider::builder().configure(&conf).build())
            }
        };
        let mut access = self.open_with(Some(name), Some(provider)).await.map_err(place)?;
        for step in &chain.steps {
            let session = match &step.mfa {
                // One session with MFA serves every profile of the user, where each AssumeRole would take a code.
                Some(serial) if !access.is_session => {
                    let session = self.mfa.session(&access, serial).await.map_err(place)?;
                    let with_mfa = access.with_session(&session, String::new());
                    sts::assume_step(&with_mfa, step, None).await
                }
                Some(serial) => {
                    let code = self.mfa.code(serial).await.map_err(place)?;
                    sts::assume_step(&access, step, Some((serial, &code))).await
                }
                None => sts::assume_step(&access, step, None).await,
            };
            let session = session.map_err(|error| error.context(format!("profile `{}`", step.profile)))?;
            access = access.with_session(&session, format!("profile {name}, assumed role"));
        }
        Ok(Access { profile: Some(name.to_owned()), ..access })
    }

    async fn provider_config(&self, profile: &str) -> Result<ProviderConfig> {
        // A profile that assumes a role needs a region for it, wherever it is written.
        let region = self.region_for(profile).await.unwrap_or_else(|| FALLBACK_REGION.to_owned());
        let region = aws_types::region::Region::new(region);
        // What asks for credentials is mostly STS.
        let client = self.pace.before(self.pool(Some(profile))?);
        let conf = ProviderConfig::default().with_http_client(client).with_region(Some(region));
        // Only clients of the same timeouts share connections.
        let conf = conf.with_timeout_config(timeouts());
        // The provider of profiles does not look at them by itself.
        let flag = |name: &str, key: &str| {
            let text = variable(name).or_else(|| self.profile_setting(profile, key).map(str::to_owned));
            text.map(|text| text.trim().eq_ignore_ascii_case("true"))
        };
        Ok(conf
            .with_use_fips(flag("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"))
            .with_use_dual_stack(flag("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint")))
    }

    /// The default chain prefers AWS_ACCESS_KEY_ID even to a profile that was asked for by name; the CLI does not.
    async fn profile_provider(&self, name: &str) -> Result<SharedCredentialsProvider> {
        let conf = self.provider_config(name).await?;
        let provider = ProfileFileCredentialsProvider::builder().profile_name(name).configure(&conf);
        Ok(SharedCredentialsProvider::new(provider.profile_files(self.files_about(name)).build()))
    }

    /// Access with the settings of a profile, and with credentials that are found already or still to be found.
    async fn open_with(&self, profile: Option<&str>, provider: Option<SharedCredentialsProvider>) -> Result<Access> {
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(self.pool(profile)?)
            .identity_cache(shared_identity_cache())
            .timeout_config(timeouts());
        if let Some(name) = profile {
            loader = loader.profile_name(name);
        }
        if let Some(provider) = provider {
            loader = loader.credentials_provider(provider);
        }
        let used = profile.unwrap_or_else(|| self.profiles.selected_profile());
        let region = self.region_for(used).await;
        loader = loader.profile_files(self.files_about(used));
        let config = loader.region(region.map(aws_types::region::Region::new)).load().await;
        // Profiles ask STS for their credentials already.
        self.notice.give(&config);
        let provider = Once::new(&config).ok_or_else(|| missing(profile))?;
        let credentials = match provider.first().await {
            Ok(credentials) => credentials,
            Err(error) => {
                // AWS_PROFILE names a profile as --profile does, only from further away.
                let selected = Some(self.profiles.selected_profile()).filter(|name| *name != "default");
                let named = profile.or(selected);
                named.map_or(Ok(()), |name| self.require(name))?;
                return Err(unusable(&error, named));
            }
        };
        let chosen = config.region().filter(|region| !region.as_ref().is_empty());
        let has_region = chosen.is_some();
        let region: Region = match chosen {
            Some(region) => {
                region.as_ref().parse().map_err(|invalid| Error::from(invalid).context("the configured region"))?
            }
            None => FALLBACK_REGION.parse()?,
        };
        let used_profile = profile.map(str::to_owned).or_else(|| self.profile_of(&credentials));
        // Where they came from is kept for those only that run out: with many accounts it adds up.
        let keep = match credentials.expiry() {
            None => SharedCredentialsProvider::new(credentials.clone()),
            Some(_) => SharedCredentialsProvider::new(provider),
        };
        Ok(Access {
            origin: origin(&credentials, used_profile.as_deref()),
            profile: used_profile,
            is_session: credentials.session_token().is_some(),
            has_region,
            key_id: credentials.access_key_id().to_owned(),
            path_style: self.path_style,
            pace: self.pace.clone(),
            config: config
                .into_builder()
                .credentials_provider(keep)
                .region(aws_types::region::Region::new(region.to_string()))
                .build(),
            clients: Arc::default(),
            region,
        })
    }

    /// The one profile that says in the AWS config file that it is of this account, and is not of the link's own role.
    ///
    /// # Errors
    /// When there is none, or there are several to choose from.
    pub fn profile_for(&self, account: &AccountId, link_role: &RoleName) -> Result<String> {
        let role = format!(":{account}:role/");
        let own = format!("/{link_role}");
        let mut names: Vec<_> = self
            .profiles
            .profiles()
            .filter(|name| {
                self.profiles.get_profile(name).is_some_and(|profile| {
                    profile.get("aws_account_id") == Some(account.as_str())
                        || profile.get("sso_account_id") == Some(account.as_str())
                        || profile.get("role_arn").is_some_and(|arn| arn.contains(&role) && !arn.ends_with(&own))
                })
            })
            .collect();
        names.sort_unstable();
        let hint = "or, if the source operator may enter it: --enter-role OrganizationAccountAccessRole";
        match names.as_slice() {
            [one] => Ok((*one).to_owned()),
            [] => Err(Error::new(Kind::Credentials, "no credentials are known".to_owned())
                .hint("name the profile of its operator: --target-profile NAME")
                .hint(hint)
                .hint("or make only the half in the source account: --only source")),
            several => Err(Error::new(
                Kind::Credentials,
                format!("several profiles are of this account: {}", several.join(", ")),
            )
            .hint("choose one: --target-profile NAME")),
        }
    }

    /// A setting of a profile, such as `mfa_serial`.
    #[must_use]
    pub fn profile_setting(&self, profile: &str, key: &str) -> Option<&str> {
        self.profiles.get_profile(profile)?.get(key)
    }

    /// Checks that a profile exists; asks for no credentials.
    ///
    /// # Errors
    /// When the AWS config files have no profile of that name.
    pub fn require(&self, name: &str) -> Result<()> {
        if self.profiles.get_profile(name).is_some() {
            return Ok(());
        }
        let mut names: Vec<_> = self.profiles.profiles().collect();
        names.sort_unstable();
        let error = Error::new(Kind::Credentials, format!("the AWS config files have no profile `{name}`"));
        Err(if names.is_empty() {
            error.hint(format!("make one: aws configure --profile {}", word(name)))
        } else {
            error.hint(format!("they have {}", names.join(", ")))
        })
    }

    /// The region for a profile: as asked for, else of the environment, the profile, or those it takes its credentials from,
    /// else of the machine.
    async fn region_for(&self, profile: &str) -> Option<String> {
        if let Some(region) = &self.region {
            return Some(region.to_string());
        }
        let settings = self.sources(profile).filter_map(|profile| self.profile_setting(profile, "region"));
        let settings = settings.map(str::to_owned);
        let variables = ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().filter_map(variable);
        match variables.chain(settings).find(|region| !region.is_empty()) {
            Some(region) => Some(region),
            None => self.region_of_machine().await,
        }
    }

    /// A profile, the one that it takes its credentials from, and so on.
    fn sources<'a>(&'a self, profile: &'a str) -> impl Iterator<Item = &'a str> {
        let source = |profile: &&'a str| self.profile_setting(profile, "source_profile");
        // Profiles may lead in a circle, and no longer way is without one.
        successors(Some(profile), source).take(self.profiles.profiles().count())
    }

    fn files_about(&self, profile: &str) -> EnvConfigFiles {
        self.files.about(&self.sources(profile).collect::<Vec<_>>())
    }

    /// Where the EC2 instance is that this runs on. Anywhere else it takes a second to learn that nobody answers, so it is
    /// asked once.
    async fn region_of_machine(&self) -> Option<String> {
        let ask = async || {
            let conf = ProviderConfig::default().with_http_client(self.pool(None).ok()?);
            ImdsRegionProvider::builder().configure(&conf).build().region().await.map(|region| region.to_string())
        };
        self.of_machine.get_or_init(ask).await.clone()
    }

    fn profile_of(&self, credentials: &Credentials) -> Option<String> {
        let from_environment = features(credentials).contains(&AwsCredentialFeature::CredentialsEnvVars);
        let selected = self.profiles.selected_profile();
        (!from_environment && self.profiles.get_profile(selected).is_some()).then(|| selected.to_owned())
    }
}

/// A variable of the environment, which the SDK reads by itself, too.
fn variable(name: &str) -> Option<String> {
    Env::real().get(name).ok()
}

/// No call may hang: AWS's APIs here answer within seconds. An operation has three attempts, which is the SDK's number.
/// A run may ask for the same thing before and after its writes, and still ends in little more than a minute.
fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(Duration::from_secs(10))
        .operation_timeout(Duration::from_secs(35))
        .build()
}

fn missing(profile: Option<&str>) -> Error {
    match profile {
        Some(name) => Error::new(Kind::Credentials, format!("profile `{name}` gives no credentials")).hint(format!(
            "sign in, or see what is wrong with it: aws sts get-caller-identity --profile {}",
            word(name)
        )),
        None => Error::new(Kind::Credentials, "no AWS credentials were found")
            .hint("name a profile (--profile NAME or AWS_PROFILE), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
    }
}

fn unusable(error: &CredentialsError, profile: Option<&str>) -> Error {
    let mut failure = missing(profile);
    if !matches!(error, CredentialsError::CredentialsNotLoaded(_)) {
        failure.message = format!("{}: {}", failure.message, chain(error));
    }
    failure
}

/// An error with its causes on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let words = next.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = next.source();
    }
    text
}
