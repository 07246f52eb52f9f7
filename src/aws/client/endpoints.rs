//! Custom endpoints (`AWS_ENDPOINT_URL`, `endpoint_url` in a profile): xacct reports them before it sends a request there.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_config::SdkConfig;
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

    pub(in crate::aws) fn give(&self, config: &SdkConfig) {
        for endpoint in of(config) {
            if self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(endpoint.clone()) {
                (self.tell)(&format!("Using custom endpoint {endpoint}"));
            }
        }
    }
}

/// Returns the configured endpoints of the services in use, without passwords.
pub(in crate::aws) fn of(config: &SdkConfig) -> Vec<String> {
    let chosen = |service: &str| {
        let key = ServiceConfigKey::builder().service_id(service).env("AWS_ENDPOINT_URL").profile("endpoint_url");
        config.service_config()?.load_config(key.build().ok()?)
    };
    let services = ["IAM", "STS", "S3"].into_iter().filter_map(chosen);
    let endpoints = services.chain(config.endpoint_url().map(str::to_owned));
    endpoints.map(|url| without_password(&url)).collect::<BTreeSet<_>>().into_iter().collect()
}

fn without_password(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    match host.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://{host}{path}"),
        None => url.to_owned(),
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
