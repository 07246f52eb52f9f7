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
    let services = services.iter().filter_map(chosen);
    let endpoints = services.chain(config.endpoint_url().map(str::to_owned));
    endpoints.map(|url| without_password(&url)).collect::<BTreeSet<_>>().into_iter().collect()
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
