//! Access to accounts: profiles, Regions, and one HTTP connection pool for all.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::imds::region::ImdsRegionProvider;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::sso::SsoCredentialsProvider;
use aws_config::{AppName, BehaviorVersion};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::RetryConfig;
use tokio::sync::OnceCell;

use crate::aws::client::access::{Access, shared_identity_cache};
use crate::aws::client::endpoints::Notice;
use crate::aws::client::http::{self, Bundle};
use crate::aws::client::notify::{Trace, Warn};
use crate::aws::client::rate_limit::{Pace, USUAL_RATE};
use crate::aws::client::retry::{retries, timeouts};
use crate::aws::client::trace;
use crate::aws::credentials::config_files::for_sdk;
use crate::aws::credentials::mfa::Mfa;
use crate::aws::credentials::profiles::Profiles;
use crate::aws::credentials::provider::{Once, machine, missing, origin, unusable};
use crate::aws::credentials::role_chain::{self, Base, Chain};
use crate::environment::{self, variable};
use crate::error::{Error, Result};
use crate::iam::names::{AccountId, Region, RoleName};

/// The name of the application in the user agent, which appears there as `app/…`.
const APP_NAME: &str = concat!("xacct-", env!("CARGO_PKG_VERSION"));

/// The Region if none is configured: it is enabled in every account of partition `aws`.
const FALLBACK_REGION: &str = "us-east-1";

/// Opens access to accounts. It has one connection pool and reads the AWS config files once.
#[derive(Debug, Clone)]
pub struct Connections {
    /// One pool for each CA bundle; usually there is only one.
    pools: Arc<Mutex<BTreeMap<Option<Bundle>, SharedHttpClient>>>,
    profiles: Arc<Profiles>,
    mfa: Arc<Mfa>,
    region: Option<Region>,
    of_machine: Arc<OnceCell<Option<String>>>,
    path_style: bool,
    pace: Pace,
    notice: Notice,
    trace: Option<Trace>,
    /// Whether credentials may need a code, a sign-in or a program that asks for them.
    may_ask: bool,
}

impl Connections {
    /// Reads the AWS config files and prepares the pool, without connecting. `link_roles` are the roles of the links in
    /// `xacct.toml`; `tell` gets a remark about custom endpoints before the first request to them.
    ///
    /// # Errors
    /// When a config file cannot be read, or a variable has a value that it cannot have.
    pub fn open(
        region: Option<Region>,
        path_style: bool,
        link_roles: BTreeSet<(AccountId, RoleName)>,
        tell: Warn,
    ) -> Result<Self> {
        environment::check()?;
        let profiles = Arc::new(Profiles::load(link_roles)?);
        // An invalid proxy or CA bundle must be reported before the first request.
        let bundle = Bundle::find(&variable, None);
        let pool = http::client(bundle.as_ref(), &variable)?;
        let pools = Arc::new(Mutex::new(BTreeMap::from([(bundle, pool)])));
        Ok(Self {
            pools,
            profiles,
            mfa: Arc::default(),
            region,
            of_machine: Arc::default(),
            path_style,
            pace: Pace::new(USUAL_RATE),
            notice: Notice::new(tell),
            trace: None,
            may_ask: true,
        })
    }

    /// Sets how to get MFA codes and sessions.
    #[must_use]
    pub fn with_mfa(self, mfa: Mfa) -> Self {
        Self { mfa: Arc::new(mfa), ..self }
    }

    /// Returns the same connections, restricted to credentials that need no prompt.
    #[must_use]
    pub fn that_ask_nobody(&self) -> Self {
        Self { mfa: Arc::new(self.mfa.that_asks_nobody()), may_ask: false, ..self.clone() }
    }

    /// Sets the maximum STS requests per second, for all credentials together.
    #[must_use]
    pub fn with_sts_rate(self, rate: u16) -> Self {
        Self { pace: Pace::new(rate), ..self }
    }

    /// Reports every request (`--verbose`).
    #[must_use]
    pub fn with_trace(self, tell: Warn) -> Self {
        Self { trace: Some(Trace(tell)), ..self }
    }

    /// Returns the source of MFA codes and sessions.
    #[must_use]
    pub fn mfa(&self) -> &Arc<Mfa> {
        &self.mfa
    }

    /// Returns the profiles of the AWS config files.
    #[must_use]
    pub fn profiles(&self) -> &Profiles {
        &self.profiles
    }

    /// Returns what decides whose credentials [`Connections::access`] gets, as the parts of a cache key, without getting
    /// them; `None` if only they can tell.
    #[must_use]
    pub fn origin(&self, profile: Option<&str>) -> Option<Vec<String>> {
        self.profiles.origin(profile.filter(|name| !environment::is_usual(name)))
    }

    /// Returns the pool for a profile, which may have a CA bundle of its own.
    fn pool(&self, profile: Option<&str>) -> Result<SharedHttpClient> {
        let pool = self.untraced_pool(profile)?;
        Ok(match &self.trace {
            Some(trace) => trace::traced(pool, trace.clone()),
            None => pool,
        })
    }

    fn untraced_pool(&self, profile: Option<&str>) -> Result<SharedHttpClient> {
        let profile = profile.unwrap_or_else(|| self.profiles.selected());
        let of_profile = self.profiles.setting(profile, "ca_bundle").map(|path| (profile, path));
        let bundle = Bundle::find(&variable, of_profile);
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = pools.get(&bundle) {
            return Ok(pool.clone());
        }
        let pool = http::client(bundle.as_ref(), &variable)?;
        pools.insert(bundle, pool.clone());
        Ok(pool)
    }

    /// Opens access with the credentials of a profile, or those that the default chain finds (environment, `AWS_PROFILE`,
    /// SSO, …).
    ///
    /// # Errors
    /// When the profile does not exist or has no credentials.
    pub async fn access(&self, profile: Option<&str>) -> Result<Access> {
        let profile = profile.filter(|name| !environment::is_usual(name));
        match profile {
            Some(name) => self.profiles.require(name)?,
            None => environment::check_keys()?,
        }
        let used = profile.unwrap_or_else(|| self.profiles.selected());
        self.profiles.check(used)?;
        // Keys in the environment come before the selected profile, whose program does not run then.
        if !self.may_ask && (profile.is_some() || !environment::has_keys()) {
            self.profiles.check_asks_nobody(used)?;
        }
        if let Some(chain) = self.profiles.chain(profile)? {
            return self.walk(&chain, used).await;
        }
        let provider = match profile {
            Some(name) => Some(self.profile_provider(name).await?),
            // What the default chain would find next is the selected profile, but the SDK cannot take its sign-in.
            None if !environment::has_keys() && self.profiles.renamed_sso(used).is_some() => {
                Some(self.profile_provider(used).await?)
            }
            None => self.process_of_selected()?,
        };
        self.open_with(profile, provider).await
    }

    /// Assumes the roles of a chain, one after the other.
    async fn walk(&self, chain: &Chain, name: &str) -> Result<Access> {
        let provider = match &chain.base {
            Base::Profile(base) => self.profile_provider(base).await?,
            Base::Keys(base) => {
                let setting = |key: &str| self.profiles.setting(base, key).unwrap_or_default();
                let token = self.profiles.setting(base, "aws_session_token").map(str::to_owned);
                let (id, secret) = (setting("aws_access_key_id"), setting("aws_secret_access_key"));
                SharedCredentialsProvider::new(Credentials::new(id, secret, token, None, "profile"))
            }
            Base::Environment => {
                environment::check_keys()?;
                SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new())
            }
            Base::Instance => {
                self.notice.give_for_machine(self.machine());
                let conf = self.provider_config(name).await?;
                SharedCredentialsProvider::new(ImdsCredentialsProvider::builder().configure(&conf).build())
            }
            Base::Container => {
                self.notice.give_for_machine(self.machine());
                let conf = self.provider_config(name).await?;
                SharedCredentialsProvider::new(EcsCredentialsProvider::builder().configure(&conf).build())
            }
        };
        let access = self.open_with(Some(name), Some(provider)).await;
        let access = access.map_err(|error| error.context(format!("profile `{name}`")))?;
        role_chain::walk(&chain.steps, access, name, &self.mfa).await
    }

    async fn provider_config(&self, profile: &str) -> Result<ProviderConfig> {
        // A profile that assumes a role needs a Region for STS, even if the profile itself has none.
        let region = self.region_for(profile).await.unwrap_or_else(|| FALLBACK_REGION.to_owned());
        let region = aws_types::region::Region::new(region);
        // Providers get their credentials mostly from STS, so its rate limit applies.
        let client = self.pace.before(self.pool(Some(profile))?);
        let conf = ProviderConfig::default().with_http_client(client).with_region(Some(region));
        // Clients share connections only if their timeouts are equal.
        let conf = conf.with_timeout_config(timeouts()).with_retry_config(self.retries(profile)?);
        // The profile provider ignores these two settings.
        let flag = |name: &str, key: &str| {
            let text = variable(name).or_else(|| self.profiles.setting(profile, key).map(str::to_owned));
            text.map(|text| text.trim().eq_ignore_ascii_case("true"))
        };
        Ok(conf
            .with_use_fips(flag("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"))
            .with_use_dual_stack(flag("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint")))
    }

    fn retries(&self, profile: &str) -> Result<RetryConfig> {
        retries(&variable, &|key| self.profiles.setting(profile, key).map(|value| (profile, value)))
    }

    /// Returns the provider for the profile that the environment selects, if it names a program and nothing comes before it
    /// in the default chain.
    fn process_of_selected(&self) -> Result<Option<SharedCredentialsProvider>> {
        let selected = self.profiles.selected();
        self.profiles.check_token_files(selected)?;
        Ok(self.profiles.process(selected).filter(|_| !environment::has_keys()).map(SharedCredentialsProvider::new))
    }

    /// Creates a provider for a named profile. The SDK's default chain would prefer AWS_ACCESS_KEY_ID even to a profile that
    /// the user named; the AWS CLI does not.
    async fn profile_provider(&self, name: &str) -> Result<SharedCredentialsProvider> {
        self.profiles.check_token_files(name)?;
        if let Some(process) = self.profiles.process(name) {
            return Ok(SharedCredentialsProvider::new(process));
        }
        let conf = self.provider_config(name).await?;
        if let Some(sso) = self.profiles.renamed_sso(name) {
            let provider = SsoCredentialsProvider::builder().configure(&conf).session_name(sso.session);
            let provider = provider.start_url(sso.start_url).region(aws_types::region::Region::new(sso.region));
            return Ok(SharedCredentialsProvider::new(provider.account_id(sso.account).role_name(sso.role).build()));
        }
        let provider = ProfileFileCredentialsProvider::builder().profile_name(for_sdk::name(name)).configure(&conf);
        Ok(SharedCredentialsProvider::new(provider.profile_files(self.profiles.files_about(name)).build()))
    }

    /// Opens access with the settings of a profile, and the given provider or the default chain.
    async fn open_with(&self, profile: Option<&str>, provider: Option<SharedCredentialsProvider>) -> Result<Access> {
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(self.pool(profile)?)
            .identity_cache(shared_identity_cache())
            .timeout_config(timeouts());
        if provider.is_none() && !environment::has_keys() {
            self.notice.give_for_machine(self.machine());
        }
        if let Some(provider) = provider {
            loader = loader.credentials_provider(provider);
        }
        let used = profile.unwrap_or_else(|| self.profiles.selected());
        loader = loader.profile_name(for_sdk::name(used)).retry_config(self.retries(used)?);
        // CloudTrail then shows which requests are xacct's. A name that the user chose stays.
        let is_named =
            variable("AWS_SDK_UA_APP_ID").is_some() || self.profiles.setting(used, "sdk_ua_app_id").is_some();
        if let Some(name) = AppName::new(APP_NAME).ok().filter(|_| !is_named) {
            loader = loader.app_name(name);
        }
        let region = self.region_for(used).await;
        loader = loader.profile_files(self.profiles.files_about(used));
        for source in self.profiles.sources(used).skip(1) {
            self.notice.give_for(&self.profiles.alone(source).await?);
        }
        let config = loader.region(region.map(aws_types::region::Region::new)).load().await;
        // Getting the credentials may already call STS.
        self.notice.give(&config);
        let provider = Once::new(&config).ok_or_else(|| missing(profile))?;
        let credentials = match provider.first().await {
            Ok(credentials) => credentials,
            Err(error) => {
                // A profile named by AWS_PROFILE may not exist either.
                let selected = Some(self.profiles.selected()).filter(|name| *name != "default");
                let named = profile.or(selected);
                named.map_or(Ok(()), |name| self.profiles.require(name))?;
                let signs_in = self.profiles.sign_in(used);
                return Err(unusable(error, named, signs_in.as_ref(), |text| self.profiles.with_real_names(text)));
            }
        };
        let chosen = config.region().filter(|region| !region.as_ref().is_empty());
        let has_region = chosen.is_some();
        let region: Region = match chosen {
            Some(region) => {
                region.as_ref().parse().map_err(|invalid| Error::from(invalid).context("the configured Region"))?
            }
            None => FALLBACK_REGION.parse()?,
        };
        let used_profile = profile.map(str::to_owned).or_else(|| self.profiles.behind(&credentials));
        // Only expiring credentials keep their provider: with many accounts, providers add up.
        let keep = match credentials.expiry() {
            None => SharedCredentialsProvider::new(credentials.clone()),
            Some(_) => SharedCredentialsProvider::new(provider),
        };
        Ok(Access {
            origin: origin(&credentials, used_profile.as_deref()),
            machine: machine(&credentials),
            signs_in: used_profile.as_deref().and_then(|profile| self.profiles.sign_in(profile)),
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

    /// Returns the Region for a profile: from the options, the environment, the profile and its sources, or the EC2
    /// instance.
    async fn region_for(&self, profile: &str) -> Option<String> {
        if let Some(region) = &self.region {
            return Some(region.to_string());
        }
        let settings = self.profiles.sources(profile).filter_map(|profile| self.profiles.setting(profile, "region"));
        let settings = settings.map(str::to_owned);
        let variables = ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().filter_map(variable);
        match variables.chain(settings).find(|region| !region.is_empty()) {
            Some(region) => Some(region),
            None => self.region_of_machine().await,
        }
    }

    /// Returns the configured endpoints for the credentials of this machine or container.
    fn machine(&self) -> impl Iterator<Item = String> {
        let variables = ["AWS_EC2_METADATA_SERVICE_ENDPOINT", "AWS_CONTAINER_CREDENTIALS_FULL_URI"];
        let setting = self.profiles.setting(self.profiles.selected(), "ec2_metadata_service_endpoint");
        variables.into_iter().filter_map(variable).chain(setting.map(str::to_owned))
    }

    /// Returns the Region of the EC2 instance that xacct runs on. On other machines the request takes a second to fail, so it
    /// is sent only once.
    async fn region_of_machine(&self) -> Option<String> {
        let ask = async || {
            self.notice.give_for_machine(self.machine());
            let conf = ProviderConfig::default().with_http_client(self.pool(None).ok()?);
            ImdsRegionProvider::builder().configure(&conf).build().region().await.map(|region| region.to_string())
        };
        self.of_machine.get_or_init(ask).await.clone()
    }
}
