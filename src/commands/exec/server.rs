//! `exec --server`: the command gets the address of an endpoint in place of credentials, and so outlives a session.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::{Notify, oneshot, watch};

use super::endpoint::{Endpoint, Service};
use super::renewal::{self, Current, News, TOLERATED, between};
use crate::aws::credentials::config_files::{self, BOTO_CONFIG, Shadow};
use crate::cli::SessionOptions;
use crate::environment::variable;
use crate::error::{Error, Kind, Result};
use crate::export;
use crate::files::{self, Readers};
use crate::operations::interrupt;
use crate::operations::run::Run;
use crate::operations::session::{self, OpenedRole};
use crate::text::on_one_line;

/// A server that has not started yet.
pub struct Server<'a> {
    first: OpenedRole,
    options: &'a SessionOptions,
    run: &'a Run<'a>,
    endpoint: Endpoint,
    shadows: Vec<Shadow>,
    /// The files for the command in place of those that shadow the endpoint.
    files: Option<TempDir>,
}

impl<'a> Server<'a> {
    /// Opens a port for this session and those that follow it.
    ///
    /// # Errors
    /// When there is no port, or the AWS config files cannot be read or replaced for the command.
    pub fn open(first: OpenedRole, options: &'a SessionOptions, run: &'a Run<'a>) -> Result<Self> {
        let shadows = config_files::shadows(&variable)?;
        let files = if shadows.is_empty() { None } else { Some(copies(&shadows)?) };
        Ok(Self { first, options, run, endpoint: Endpoint::open(run.context)?, shadows, files })
    }

    /// Sets what the command needs to find the endpoint.
    pub fn set(&self, command: &mut Command) {
        command.envs(self.endpoint.variables());
        command.envs(export::region_variables(self.first.opened.region.as_ref()));
        if let Some(files) = &self.files {
            command.envs(self.shadows.iter().map(|shadow| (shadow.variable, files.path().join(shadow.variable))));
        }
        command.envs(without_proxy(&variable));
    }

    /// Tells where the endpoint is, and what the command does not see.
    pub fn announce(&self) {
        let Self { first, endpoint, shadows, run, .. } = self;
        run.console.say(&format!(
            "Serving sessions of {} at {}, renewed until the command ends",
            first.opened.whose,
            endpoint.uri()
        ));
        let now = (run.context.now)();
        if let Some(at) = first.opened.at.filter(|at| between(*at, now) > TOLERATED) {
            run.console.warn(&format!(
                "The clock of this machine is {} minutes {} AWS's: correct it. Until then, xacct converts expiry times to this clock",
                (between(at, now).as_secs() + 30) / 60,
                if at < now { "ahead of" } else { "behind" }
            ));
        }
        for Shadow { variable, path, text } in shadows {
            let instead = if text.is_empty() { "an empty file instead of it" } else { "a copy without them" };
            let whose = if *variable == BOTO_CONFIG { "" } else { "The default profile in " };
            let path = path.to_string_lossy();
            run.console.say(&format!(
                "{whose}`{}` has credentials that SDKs would prefer: the command gets {instead} ({variable})",
                on_one_line(&path)
            ));
        }
    }

    /// Serves, and renews the session, while `work` runs.
    ///
    /// # Errors
    /// When the server cannot be started.
    pub fn during<T>(self, work: impl FnOnce() -> T) -> Result<T> {
        let Self { first, options, run, endpoint, shadows: _, files: _files } = self;
        let OpenedRole { target, role, opened } = first;
        let runtime = interrupt::runtime()?;
        let now = run.context.now;
        let most =
            Duration::from_secs(u64::from(options.request.duration.unwrap_or_default().as_secs().unsigned_abs()));
        let whose = opened.whose.clone();
        let (send, current) = watch::channel(Current::new(opened, most, now()));
        let wake = Arc::new(Notify::new());
        let service = Service { role, current, wake: Arc::clone(&wake), now };
        let tell = |news: News<'_>, current: &Current| match news {
            News::Failed(error) => {
                let expiry = export::expiration(&current.reveal(now())).unwrap_or_default();
                let what = format!("cannot renew the session of {whose}, which expires at {expiry}");
                run.console.error(&error.clone().context(what).note("xacct keeps trying"));
            }
            News::Recovered => run.console.say(&format!("Renewed the session of {whose}")),
        };
        let serve = async |stopped: oneshot::Receiver<()>| {
            // Boxed, because the types of futures would become too deep for the compiler.
            let open = async || {
                let opened = Box::pin(session::renewed(&target, options, run)).await?;
                Ok(Current::new(opened, most, now()))
            };
            tokio::select! {
                _ = stopped => {}
                never = renewal::keep_fresh(&send, open, &wake, now, tell) => match never {},
                Err(error) = endpoint.serve(service) => {
                    let words = format!("cannot serve credentials any more: {error}");
                    run.console.error(&Error::new(Kind::Internal, words));
                }
            }
        };
        std::thread::scope(|scope| {
            let (stop, stopped) = oneshot::channel();
            scope.spawn(move || {
                runtime.block_on(serve(stopped));
                runtime.shutdown_background();
            });
            let done = work();
            drop(stop);
            Ok(done)
        })
    }
}

/// Writes the files for the command, which only their owner may read or write, whatever the umask: a `credential_process` or
/// an `endpoint_url` of another profile may contain a password, and SDKs run what such a file says.
fn copies(shadows: &[Shadow]) -> Result<TempDir> {
    let write = || {
        let mut builder = tempfile::Builder::new();
        builder.prefix("xacct-");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let folder = builder.tempdir()?;
        for shadow in shadows {
            files::create(&folder.path().join(shadow.variable), &shadow.text, Readers::Owner)?;
        }
        Ok(folder)
    };
    write().map_err(|error: std::io::Error| {
        Error::new(Kind::File, format!("cannot write the AWS config files for the command: {error}")).caused_by(error)
    })
}

/// Returns the variables that keep requests to the endpoint, which contain its token, from a proxy.
fn without_proxy(variable: &dyn Fn(&str) -> Option<String>) -> Vec<(&'static str, String)> {
    let proxies = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
    if !proxies.into_iter().any(|name| variable(name).is_some()) {
        return Vec::new();
    }
    let set = ["NO_PROXY", "no_proxy"].into_iter().filter_map(|name| Some((name, variable(name)?)));
    // curl takes `*` for every host only if nothing else is there (its manual, `--noproxy`).
    let extend = |hosts: String| if hosts.trim() == "*" { hosts } else { format!("{hosts},127.0.0.1") };
    let extended: Vec<_> = set.map(|(name, hosts)| (name, extend(hosts))).collect();
    if extended.is_empty() { vec![("NO_PROXY", "127.0.0.1".to_owned())] } else { extended }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endpoint_is_reached_without_a_proxy() {
        let with = |set: &[(&str, &str)]| {
            let set: Vec<_> = set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            without_proxy(&move |wanted| set.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone()))
        };
        assert_eq!(with(&[("NO_PROXY", "a")]), []);
        assert_eq!(with(&[("HTTP_PROXY", "http://p")]), [("NO_PROXY", "127.0.0.1".to_owned())]);
        // Only the variables that are set, for some programs read only the first of the two.
        let set = [("all_proxy", "http://p"), ("no_proxy", "a")];
        assert_eq!(with(&set), [("no_proxy", "a,127.0.0.1".to_owned())]);
        // With anything beside it, `*` would no longer mean every host.
        assert_eq!(with(&[("HTTP_PROXY", "http://p"), ("NO_PROXY", "*")]), [("NO_PROXY", "*".to_owned())]);
    }
}
