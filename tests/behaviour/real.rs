//! The suite on two real accounts, for whoever has them (`tests/real-aws`), and its dress rehearsal on a sandbox.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_credential_types::provider::ProvideCredentials;

use xacct_sandbox::Sandbox;
use xacct_sandbox::world::{ADMIN_A, ADMIN_B};

use crate::behaviours;
use crate::differences;
use crate::keys::{Keys, US_EAST_1};
use crate::place::{Accounts, INTERRUPTED, NOT_ASKED, Place};
use crate::server::{Name, Server, http};
use crate::suite::Behaviour;
use crate::sweep::sweep;

/// The prefix of everything that any run makes.
const PREFIX: &str = "xacct-real-";
const ACCOUNT_A: &str = "111111111111";
const ACCOUNT_B: &str = "222222222222";
/// How long AWS may take until a change counts everywhere.
const PAUSE: Duration = Duration::from_secs(15);
/// Behaviours about names as they are, or about all that an account has: a prefix or its other contents change the answer.
const OF_AN_EMPTY_ACCOUNT: [&str; 5] = [
    "aws:username in the grant",
    "lists of policies are paginated",
    "lists of policies in use",
    "lists of policies that are boundaries",
    "policy of a user of 2048 characters, and of 2049",
];
/// Behaviours asked at once.
const AT_ONCE: usize = 6;

/// What AWS said of the behaviours.
#[derive(Default)]
struct Said {
    confirmed: BTreeMap<String, String>,
    /// The expected and the real answer.
    contradicted: BTreeMap<String, (String, String)>,
    not_asked: BTreeMap<String, String>,
    /// What is still in the accounts.
    left: Vec<String>,
}

impl Said {
    fn text(&self) -> String {
        let mut text = String::new();
        for name in self.confirmed.keys() {
            text.push_str(&format!("confirmed     {name}\n"));
        }
        for (name, why) in &self.not_asked {
            text.push_str(&format!("not asked     {name}: {why}\n"));
        }
        for (name, (expected, answer)) in &self.contradicted {
            text.push_str(&format!("CONTRADICTED  {name}\n    expected: {expected}\n    AWS:      {answer}\n"));
        }
        for left in &self.left {
            text.push_str(&format!("NOT REMOVED   {left}\n"));
        }
        let (confirmed, contradicted) = (self.confirmed.len(), self.contradicted.len());
        let not_asked = self.not_asked.len();
        text + &format!(
            "AWS confirmed {confirmed} statements, contradicted {contradicted}; {not_asked} were not asked\n"
        )
    }

    /// Writes AWS's answers.
    fn save(&self, path: &Path) {
        let contradicted = self.contradicted.iter().map(|(name, (_, answer))| (name, answer));
        let answers: BTreeMap<_, _> = self.confirmed.iter().chain(contradicted).collect();
        let text = serde_json::to_string_pretty(&answers).expect("JSON") + "\n";
        std::fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}

/// Asks two accounts about the behaviours, and removes what that made, whatever happens. `before_each` sees each name.
fn ask(accounts: &Accounts, behaviours: Vec<Behaviour>, before_each: &(dyn Fn(&str) + Sync)) -> Said {
    let run = format!("{PREFIX}{:04x}-", std::process::id() & 0xffff);
    let said = Mutex::new(Said::default());
    let names: Vec<_> = behaviours.iter().map(|behaviour| behaviour.name).collect();
    let next = std::sync::atomic::AtomicUsize::new(0);
    drop(behaviours);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                // Behaviours cannot leave their thread, so each thread has its own.
                let behaviours = behaviours::all();
                while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                    before_each(name);
                    let behaviour = behaviours.iter().find(|behaviour| behaviour.name == *name).expect("a behaviour");
                    let number = names.iter().position(|other| other == name).unwrap_or_default();
                    let place = Place::new(accounts.clone(), format!("{run}{number:03}-"));
                    let answer = answer(behaviour, place);
                    let mut said = said.lock().expect("no panic");
                    match answer {
                        Err(why) => drop(said.not_asked.insert((*name).to_owned(), why)),
                        Ok(answer) if answer == behaviour.expected => {
                            said.confirmed.insert((*name).to_owned(), answer);
                        }
                        Ok(answer) => {
                            said.contradicted.insert((*name).to_owned(), (behaviour.expected.to_owned(), answer));
                        }
                    }
                }
            });
        }
    });
    let mut said = said.into_inner().expect("no panic");
    said.left = block_on(sweep(accounts, &run));
    said
}

/// Returns the answer, or why the accounts could not be asked.
fn answer(behaviour: &Behaviour, place: std::sync::Arc<Place>) -> Result<String, String> {
    if INTERRUPTED.load(Ordering::Relaxed) {
        return Err("interrupted".to_owned());
    }
    if OF_AN_EMPTY_ACCOUNT.contains(&behaviour.name) {
        return Err("it needs an empty account, and names without a prefix".to_owned());
    }
    let asked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        block_on(behaviour.observed(Rc::new(Server::aws(place))))
    }));
    asked.map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default();
        text.strip_prefix(NOT_ASKED).unwrap_or(&text).to_owned()
    })
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, future)
}

/// Returns the accounts if the credentials belong to exactly these, in this order.
async fn checked(accounts: Accounts) -> Result<Accounts, String> {
    if accounts.ids[0] == accounts.ids[1] {
        return Err("source and target must be two accounts".to_owned());
    }
    let server = Server::plain(accounts.endpoint.clone());
    for (allowed, keys) in accounts.ids.iter().zip(&accounts.keys) {
        let caller = server.sts(keys).get_caller_identity().send().await;
        let caller = caller.map_err(|error| aws_sdk_iam::error::DisplayErrorContext(error).to_string())?;
        let account = caller.account().unwrap_or_default();
        if account != allowed {
            return Err(format!("the credentials belong to account {account}, and only {allowed} may be used"));
        }
    }
    Ok(accounts)
}

/// What the run makes.
fn plan(accounts: &Accounts, count: usize) -> String {
    let [source, target] = &accounts.ids;
    format!(
        "Asks AWS about {count} statements, in source account {source} and target account {target}.\n\
         Makes, with names that begin with {PREFIX}: users with access keys (for each statement, an administrator in each account), \
         roles, groups, policies, and buckets without content in {US_EAST_1} and eu-west-1. None of them costs money.\n\
         Removes all of them at the end, also after Ctrl-C, and first what an interrupted run left.\n"
    )
}

/// For `tests/real-aws`, which sets the variables. Not part of the suite: it needs two real accounts.
#[test]
#[ignore = "needs two real accounts: run tests/real-aws"]
fn aws_itself() {
    let variable = |name: &str| std::env::var(format!("XACCT_REAL_{name}")).unwrap_or_else(|_| panic!("no {name}"));
    let keys = |profile: String| {
        block_on(async {
            let config =
                aws_config::defaults(BehaviorVersion::latest()).http_client(http()).profile_name(&profile).load().await;
            let found = config.credentials_provider().expect("credentials").provide_credentials().await;
            let found = found.unwrap_or_else(|error| panic!("profile {profile}: {error}"));
            Keys {
                id: found.access_key_id().to_owned(),
                secret: found.secret_access_key().to_owned(),
                token: found.session_token().map(str::to_owned),
            }
        })
    };
    let accounts = Accounts {
        ids: ["SOURCE_ACCOUNT", "TARGET_ACCOUNT"].map(variable),
        keys: ["SOURCE_PROFILE", "TARGET_PROFILE"].map(|name| keys(variable(name))),
        endpoint: std::env::var("XACCT_REAL_ENDPOINT").ok().filter(|url| !url.is_empty()),
        pause: std::env::var("XACCT_REAL_PAUSE").map_or(PAUSE, |seconds| Duration::from_secs(seconds.parse().unwrap())),
    };
    let accounts = match block_on(checked(accounts)) {
        Ok(accounts) => accounts,
        Err(why) => panic!("Stopped before anything was written: {why}"),
    };
    let behaviours = behaviours::all();
    let mut console = std::io::stderr();
    let _ = write!(console, "{}", plan(&accounts, behaviours.len()));
    if std::env::var("XACCT_REAL_YES").as_deref() != Ok("1") {
        let _ = write!(console, "Type yes to go on: ");
        let mut typed = String::new();
        std::io::stdin().read_line(&mut typed).expect("stdin");
        assert_eq!(typed.trim(), "yes", "Stopped before anything was written");
    }
    std::thread::spawn(|| {
        block_on(async {
            let mut term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).expect("a signal");
            let mut hangup = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).expect("a signal");
            loop {
                tokio::select! {
                    _ = tokio::signal::ctrl_c() => {}
                    _ = term.recv() => {}
                    _ = hangup.recv() => {}
                }
                INTERRUPTED.store(true, Ordering::Relaxed);
                let _ = writeln!(std::io::stderr(), "Interrupted: removing what was made");
            }
        });
    });
    let left = block_on(sweep(&accounts, PREFIX));
    assert!(left.is_empty(), "what an earlier run left cannot be removed: {}", left.join(", "));
    let said = ask(&accounts, behaviours, &|name| {
        let _ = writeln!(std::io::stderr(), "asking        {name}");
    });
    let _ = write!(console, "{}", said.text());
    let path = PathBuf::from(variable("OUT"));
    said.save(&path);
    let _ = writeln!(console, "AWS's answers are in {}, which the sandbox's tests use", path.display());
    assert!(said.left.is_empty() && !INTERRUPTED.load(Ordering::Relaxed), "the run was not complete");
}

/// A sandbox with the two accounts and an administrator in each, as AWS in a dress rehearsal.
fn rehearsal() -> (Sandbox, Accounts) {
    let sandbox = Sandbox::start();
    let keys = [ADMIN_A, ADMIN_B].map(|key| Keys { id: key.id.to_owned(), secret: key.secret.to_owned(), token: None });
    let accounts = Accounts {
        ids: [ACCOUNT_A.to_owned(), ACCOUNT_B.to_owned()],
        keys,
        endpoint: Some(sandbox.url().to_owned()),
        pause: Duration::ZERO,
    };
    (sandbox, accounts)
}

/// Names of everything that a run made and did not remove.
fn left_in(sandbox: &Sandbox) -> Vec<String> {
    sandbox.world(|world| {
        let accounts = [ACCOUNT_A, ACCOUNT_B].into_iter().filter_map(|id| world.account(id));
        let names = accounts.flat_map(|it| it.users.keys().chain(it.roles.keys()).cloned().collect::<Vec<_>>());
        names.filter(|name| name.starts_with(PREFIX)).collect()
    })
}

#[test]
fn two_accounts_are_asked_and_left_as_they_were() {
    let _turn = behaviours::turn();
    let (sandbox, accounts) = rehearsal();
    let said = ask(&accounts, behaviours::all(), &|_| ());
    assert_eq!(said.left, [""; 0]);
    assert_eq!(left_in(&sandbox), [""; 0]);
    // As on a fresh sandbox: the prefix changes no answer.
    let is_declared = |name: &String| differences::declared(name, Name::Sandbox).is_some();
    assert!(
        said.contradicted.keys().all(is_declared),
        "{}",
        said.text().split("CONTRADICTED").skip(1).collect::<String>()
    );
    assert!(
        said.not_asked.values().all(|why| [
            "root user",
            "MFA device",
            "empty account",
            "Identity Center",
            "its organization"
        ]
        .iter()
        .any(|reason| why.contains(reason))),
        "{}",
        said.text()
    );
    assert!(said.confirmed.len() > 150 && said.not_asked.len() < 15, "{}", said.text());
    assert!(said.text().contains("AWS confirmed"));

    // What was recorded is what the sandbox is held against from then on.
    let path = std::env::temp_dir().join(format!("xacct-recorded-{}.json", std::process::id()));
    said.save(&path);
    let mut answers = behaviours::read(&path);
    std::fs::remove_file(&path).expect("the file");
    let name = said.confirmed.keys().next().expect("a statement").clone();
    assert_eq!(answers.get(&name), said.confirmed.get(&name));
    answers.insert(name.clone(), "what AWS said".to_owned());
    let behaviour = behaviours::all().into_iter().find(|behaviour| behaviour.name == name).expect("the behaviour");
    assert_eq!(behaviour.with_recorded(&answers).expected, "what AWS said");
}

#[test]
fn other_accounts_are_refused_before_anything_is_written() {
    let (sandbox, accounts) = rehearsal();
    let other = Accounts { ids: [ACCOUNT_A.to_owned(), "999999999999".to_owned()], ..accounts.clone() };
    let why = block_on(checked(other)).err().unwrap_or_default();
    assert!(why.contains("only 999999999999 may be used"), "{why}");
    let same = Accounts { ids: [ACCOUNT_A, ACCOUNT_A].map(str::to_owned), ..accounts.clone() };
    assert!(block_on(checked(same)).is_err_and(|why| why.contains("two accounts")));
    assert!(sandbox.requests().iter().all(|request| request.operation == "GetCallerIdentity"));
    assert!(block_on(checked(accounts)).is_ok());
}

#[test]
fn what_a_killed_run_left_is_removed_and_nothing_else() {
    let (sandbox, accounts) = rehearsal();
    let place = Place::new(accounts.clone(), format!("{PREFIX}dead-"));
    // The state of a behaviour in the middle.
    block_on(async { crate::scene::Scene::open(Rc::new(Server::aws(place))).await.link().await });
    assert_eq!(left_in(&sandbox).len(), 4, "{:?}", left_in(&sandbox));
    assert_eq!(block_on(sweep(&accounts, PREFIX)), [""; 0]);
    assert_eq!(left_in(&sandbox), [""; 0]);
    assert!(sandbox.world(|world| world.user(ACCOUNT_A, "alice").is_some()));
}

/// Runs `tests/real-aws` on a sandbox.
fn script(sandbox: &Sandbox, target: &str, recorded: &Path) -> Command {
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real-aws"));
    let folder = recorded.parent().expect("a folder");
    sandbox.write_aws_files(folder).expect("profiles");
    // What this machine has of AWS is of no concern.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
        command.env_remove(name);
    }
    command.envs(sandbox.environment(folder)).env("XACCT_REAL_BINARY", std::env::current_exe().expect("this program"));
    command.env("XACCT_REAL_ENDPOINT", sandbox.url()).env("XACCT_REAL_PAUSE", "0").env("XACCT_REAL_OUT", recorded);
    command.args(["--source-profile", "security-admin", "--source-account", ACCOUNT_A, "--yes"]);
    command.args(["--target-profile", "dev-admin", "--target-account", target]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn the_command_stops_at_another_account_and_cleans_up_after_an_interrupt() {
    let (sandbox, _) = rehearsal();
    let folder = std::env::temp_dir().join(format!("xacct-real-aws-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let recorded = folder.join("recorded.json");

    let refused = script(&sandbox, "999999999999", &recorded).output().expect("tests/real-aws");
    let text = String::from_utf8_lossy(&refused.stderr).into_owned() + &String::from_utf8_lossy(&refused.stdout);
    assert!(!refused.status.success() && text.contains("only 999999999999 may be used"), "{text}");
    assert!(sandbox.requests().iter().all(|request| request.operation == "GetCallerIdentity"), "{text}");

    let mut running = script(&sandbox, ACCOUNT_B, &recorded);
    let running = running.spawn().expect("tests/real-aws");
    while !sandbox.requests().iter().any(|request| request.operation == "CreateRole") {
        std::thread::sleep(Duration::from_millis(5));
    }
    let interrupt = Command::new("kill").args(["-INT", &running.id().to_string()]).status();
    assert!(interrupt.is_ok_and(|status| status.success()));
    let ended = running.wait_with_output().expect("its end");
    let text = String::from_utf8_lossy(&ended.stderr).into_owned() + &String::from_utf8_lossy(&ended.stdout);
    assert!(!ended.status.success() && text.contains("Interrupted: removing what was made"), "{text}");
    assert_eq!(left_in(&sandbox), [""; 0], "{text}");

    // What AWS said before the interrupt is kept.
    assert!(text.contains("AWS confirmed") && recorded.exists(), "{text}");
    std::fs::remove_dir_all(&folder).expect("the folder");
}
