//! Two real accounts. Everything made in them has a prefix of its own in its name. It is added to requests, and what a
//! behaviour tells of the answers is without it.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_sdk_iam::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_iam::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_types::body::SdkBody;

use crate::keys::Keys;

/// The beginning of a panic of a behaviour that two real accounts cannot be asked about.
pub const NOT_ASKED: &str = "not asked: ";

/// Whether the run was interrupted: no further request is sent.
pub static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Two real accounts and their administrators.
#[derive(Clone)]
pub struct Accounts {
    /// Their IDs: source and target.
    pub ids: [String; 2],
    /// Their administrators.
    pub keys: [Keys; 2],
    /// Where a sandbox stands in for AWS, in tests.
    pub endpoint: Option<String>,
    /// How long AWS may take until a change counts everywhere.
    pub pause: Duration,
}

/// The two accounts, with the prefix of one behaviour.
pub struct Place {
    /// The accounts.
    pub accounts: Accounts,
    /// The prefix of every name.
    pub prefix: String,
    opened: AtomicUsize,
    wrote: Mutex<Option<Instant>>,
    used: Mutex<BTreeSet<String>>,
}

impl Place {
    /// Returns the accounts with this prefix.
    pub fn new(accounts: Accounts, prefix: String) -> Arc<Self> {
        Arc::new(Self {
            accounts,
            prefix,
            opened: AtomicUsize::new(0),
            wrote: Mutex::default(),
            used: Mutex::default(),
        })
    }

    /// Returns the next account.
    pub fn next(&self) -> (String, Keys) {
        let index = self.opened.fetch_add(1, Ordering::Relaxed);
        (self.accounts.ids[index].clone(), self.accounts.keys[index].clone())
    }

    /// Returns the interceptor of clients.
    pub fn names(self: &Arc<Self>, key: &Keys) -> Names {
        Names { place: Arc::clone(self), key: key.id.clone() }
    }

    /// Waits until earlier changes count, before a request that could miss them.
    fn settle(&self, key: &str, is_write: bool) {
        let mut wrote = self.wrote.lock().expect("no panic");
        let is_new_key = self.used.lock().expect("no panic").insert(key.to_owned());
        if let (Some(at), true) = (*wrote, is_new_key || !is_write) {
            std::thread::sleep(self.accounts.pause.saturating_sub(at.elapsed()));
            *wrote = None;
        }
        if is_write {
            *wrote = Some(Instant::now());
        }
    }

    /// Adds the prefix to a name, unless it comes from an answer and has it.
    fn with_prefix(&self, name: &str) -> String {
        if name.starts_with(&self.prefix) { name.to_owned() } else { format!("{}{name}", self.prefix) }
    }

    /// Adds the prefix to the names in a parameter.
    fn prefixed<'a>(&self, name: &str, value: &'a str) -> Cow<'a, str> {
        let is_name = ["UserName", "RoleName", "GroupName", "PolicyName"].contains(&name);
        if is_name && !value.is_empty() {
            return self.with_prefix(value).into();
        }
        self.in_text(value).into()
    }

    /// Adds the prefix to the names in the ARNs of a text.
    fn in_text(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("arn:aws:") {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            let end = rest.find(['"', ' ', '<', ',']).unwrap_or(rest.len());
            out.push_str(&self.in_arn(&rest[..end]));
            rest = &rest[end..];
        }
        out + rest
    }

    fn in_arn(&self, arn: &str) -> String {
        let parts: Vec<_> = arn.splitn(6, ':').collect();
        if let [_, _, "s3", "", "", bucket] = parts[..] {
            // A pattern of all buckets stays one.
            return if bucket.starts_with('*') {
                arn.to_owned()
            } else {
                format!("arn:aws:s3:::{}", self.with_prefix(bucket))
            };
        }
        let [_, _, "iam" | "sts", "", account, resource] = parts[..] else { return arn.to_owned() };
        // Policies of AWS keep their names.
        let Some((kind, path)) = resource.split_once('/').filter(|_| account != "aws") else { return arn.to_owned() };
        let head = &arn[..arn.len() - resource.len()];
        let path = match kind {
            // The session's name follows.
            "assumed-role" => self.with_prefix(path),
            "role" | "user" | "group" | "policy" => match path.rsplit_once('/') {
                Some((path, name)) => format!("{path}/{}", self.with_prefix(name)),
                None if path.is_empty() => String::new(),
                None => self.with_prefix(path),
            },
            _ => return arn.to_owned(),
        };
        format!("{head}{kind}/{path}")
    }
}

/// Adds the prefix to the names in requests.
pub struct Names {
    place: Arc<Place>,
    key: String,
}

impl std::fmt::Debug for Names {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Names")
    }
}

const WRITES: [&str; 9] = ["Create", "Put", "Attach", "Detach", "Update", "Delete", "Add", "Remove", "Set"];

impl Intercept for Names {
    fn name(&self) -> &'static str {
        "Names"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        assert!(!INTERRUPTED.load(Ordering::Relaxed), "{NOT_ASKED}interrupted");
        let request = context.request_mut();
        let is_form = request.headers().get("content-type") == Some("application/x-www-form-urlencoded");
        let text = request.body().bytes().filter(|_| is_form).map(|body| String::from_utf8_lossy(body).into_owned());
        let Some(text) = text else {
            self.place.settle(&self.key, false);
            return Ok(());
        };
        let fields: Vec<_> = form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        let action = fields.iter().find(|(name, _)| name == "Action").map(|(_, value)| value.clone());
        let action = action.unwrap_or_default();
        self.place.settle(&self.key, WRITES.iter().any(|verb| action.starts_with(verb)));
        let mut form = form_urlencoded::Serializer::new(String::new());
        for (name, value) in &fields {
            form.append_pair(name, &self.place.prefixed(name, value));
        }
        let body = form.finish();
        request.headers_mut().insert("content-length", body.len().to_string());
        *request.body_mut() = SdkBody::from(body);
        Ok(())
    }
}
