//! Custom endpoints (`AWS_ENDPOINT_URL`, `endpoint_url` in a profile): xacct reports them before it sends a request there.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_config::SdkConfig;
use aws_runtime::env_config::EnvConfigValue;
use aws_runtime::env_config::section::EnvConfigSections;
use aws_types::os_shim_internal::Env;
use aws_types::service_config::ServiceConfigKey;

use crate::aws::client::notify::Warn;
use crate::error::{Error, Result};
use crate::iam::arn::Partition;
use crate::iam::names::Region;

/// Reports each custom endpoint once, before the first request to it.
#[derive(Clone)]
pub(in crate::aws) struct Notice {
    tell: Warn,
    told: Arc<Mutex<BTreeSet<String>>>,
}

impl fmt::Debug for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notice").field("told", &self.told).finish_non_exhaustive()
    }
}

impl Notice {
    pub(in crate::aws) fn new(tell: Warn) -> Self {
        Self { tell, told: Arc::default() }
    }

    /// Reports the endpoints of these settings.
    pub(in crate::aws) fn give(&self, config: &SdkConfig) {
        of(config, &SERVICES).iter().for_each(|url| self.tell_of(url));
    }

    /// Reports the endpoints that a profile names for the services from which its own credentials come.
    pub(in crate::aws) fn give_for(&self, profile: &EnvConfigSections) {
        let value = |service| EnvConfigValue::new().env(VARIABLE).profile(SETTING).service_id(service);
        let environment = Env::real();
        for service in SERVICES {
            if let Some((url, _)) = value(service).load(&environment, Some(profile)) {
                self.tell_of(&without_password(&url));
            }
        }
    }

    /// Reports where the credentials of a machine or a container come from, if a variable or a setting says another place
    /// than AWS's.
    pub(in crate::aws) fn give_for_machine(&self, urls: impl IntoIterator<Item = String>) {
        let is_own = |url: &String| ["http://169.254.", "http://[fd00:ec2::"].iter().any(|own| url.starts_with(own));
        urls.into_iter().filter(|url| !url.is_empty() && !is_own(url)).for_each(|url| {
            // What follows the host may be secret.
            let end = url.match_indices('/').nth(2).map_or(url.len(), |(end, _)| end);
            self.tell_of(&without_password(url.get(..end).unwrap_or(&url)));
        });
    }

    fn tell_of(&self, endpoint: &str) {
        if self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(endpoint.to_owned()) {
            (self.tell)(&format!("Using custom endpoint {endpoint}"));
        }
    }
}

/// The services that a run may talk to: what it works on, and where profiles get their credentials.
pub(in crate::aws) const SERVICES: [&str; 6] = ["IAM", "STS", "S3", "SSO", "SSO OIDC", "Signin"];

const VARIABLE: &str = "AWS_ENDPOINT_URL";
const SETTING: &str = "endpoint_url";

/// Returns the configured endpoints of these services, without passwords.
pub(in crate::aws) fn of(config: &SdkConfig, services: &[&str]) -> Vec<String> {
    let chosen = |service: &&str| {
        let key = ServiceConfigKey::builder().service_id(service).env(VARIABLE).profile(SETTING);
        config.service_config()?.load_config(key.build().ok()?)
    };
    // The endpoint of all services is for those without one of their own.
    let endpoint = |service: &&str| chosen(service).or_else(|| config.endpoint_url().map(str::to_owned));
    services
        .iter()
        .filter_map(endpoint)
        .map(|url| without_password(&url))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

/// Returns the Region for which a service's custom endpoint takes signatures, if it is an endpoint of AWS. AWS refuses those
/// for other Regions.
pub(in crate::aws) fn signing_region(config: &SdkConfig, service: &str) -> Option<Region> {
    of(config, &[service]).iter().find_map(|url| region_of(url))
}

fn region_of(url: &str) -> Option<Region> {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest).split(['/', ':', '?']).next()?.to_ascii_lowercase();
    let is_below = |suffix: &str| host.ends_with(&format!(".{suffix}"));
    // Those of the dual-stack endpoints beside those of the partitions.
    let dual_stack = ["api.aws", "api.amazonwebservices.com.cn", "api.amazonwebservices.eu"];
    let of_suffix = Partition::ALL.into_iter().find(|partition| is_below(partition.dns_suffix()));
    if of_suffix.is_none() && !dual_stack.into_iter().any(is_below) {
        return None;
    }
    let named = host.split('.').find_map(|label| label.parse::<Region>().ok());
    // An endpoint without a Region, such as `iam.amazonaws.com`, is that of the whole partition.
    let of_partition =
        || if host.contains(".us-gov.") { Some(Partition::AwsUsGov) } else { of_suffix.or(Some(Partition::Aws)) };
    named.or_else(|| of_partition()?.default_region().parse().ok())
}

/// Checks that a custom endpoint of S3 is not one of another Region: where a bucket is created and what the request says of
/// it must agree.
///
/// # Errors
/// When it is.
pub(in crate::aws) fn check_s3(config: &SdkConfig, region: &Region) -> Result<()> {
    let other = signing_region(config, "S3").filter(|of_endpoint| of_endpoint != region);
    other.map_or(Ok(()), |other| {
        let url = of(config, &["S3"]).join(", ");
        Err(Error::usage(format!("the S3 endpoint {url} is for Region {other}, but the Region is {region}"))
            .hint(format!("use that Region: --region {other}"))
            .hint("or remove the endpoint: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, or endpoint_url of the profile"))
    })
}

fn without_password(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    // A query or fragment means nothing in an endpoint, and may hold a token.
    let path = path.split(['?', '#']).next().unwrap_or_default();
    match host.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://{host}{path}"),
        None => url.split(['?', '#']).next().unwrap_or_default().to_owned(),
    }
}

/// Whether S3 URLs must be path-style: subdomains of `localhost` or of an IP address do not resolve.
pub(in crate::aws) fn is_local(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.split(['/', '?']).next().unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _port)| host);
    host == "localhost" || host.starts_with('[') || host.parse::<std::net::IpAddr>().is_ok()
}

#[cfg(test)]
mod tests;
