//! `xacct who`: everybody who gets through a link today, by the policies of both accounts.

mod answer;
mod json;
mod read;
mod text;

use clap::Args;

use super::command_line::{Start, Verb};
use crate::cli::{CodeOptions, ReportOptions, UserOptions};
use crate::config::{Link, Source, WayIn};
use crate::error::{Ended, Error, ExitCode, Kind, Result};
use crate::iam::who::{Account, Index};
use crate::operations::accounts;
use crate::operations::interrupt;
use crate::operations::run::{Opening, Run, side_by_side};
use crate::operations::settle;
use crate::proof::Watch;
use crate::text::some_of;
use answer::{Answer, Answered};

/// List everybody who can get through a link, by the policies of both accounts.
///
/// Reads all users, roles and policies of the source account, and the trust policies of the roles, with the operators'
/// credentials. Also lists who may assume the roles that get through. It changes nothing.
#[derive(Debug, Args)]
#[command(after_long_help = "\
These are declared: the link's user, the entries of accept and, without
restrict_to_user, everybody else in the source account. Everybody else is
undeclared (!), including other accounts that may assume a role of the source
account on the way. With restrict_to_user, even an administrator whom the trust
policy admits is undeclared.

`?` marks what depends on more than the policies, such as a condition on
aws:SourceIp. xacct does not read service control policies, resource control
policies, session policies, or the assignments of Identity Center.

The source operator needs the permissions that
`xacct print policies --for source-auditor` prints. `xacct help who-gets-in`
explains the report.

Examples:
  xacct who
  xacct who dev --undeclared
  xacct who --check
  Which targets can one role of the source account reach?
    xacct who --principal role/ci")]
pub struct WhoGetsIn {
    /// The target, by name in xacct.toml or account ID (default: XACCT_TARGET, else all)
    #[arg(value_name = "TARGET")]
    pub target: Option<String>,
    /// Show only what this user or role of the source account reaches: user/NAME or role/NAME
    #[arg(long, value_name = "KIND/NAME", value_parser = principal)]
    pub principal: Option<String>,
    /// Show only who is not declared in xacct.toml
    #[arg(long)]
    pub undeclared: bool,
    /// Exit with 4 if anybody undeclared gets in, or perhaps gets in
    #[arg(long)]
    pub check: bool,
    /// AWS profile of the operator in the source account (default: from xacct.toml, else the usual credential chain)
    #[arg(long, value_name = "NAME", env = "XACCT_PROFILE", help_heading = "Credentials")]
    pub profile: Option<String>,
    /// AWS profile of the operator in the target account (default: from xacct.toml)
    #[arg(long, value_name = "NAME", env = "XACCT_TARGET_PROFILE", help_heading = "Credentials")]
    pub target_profile: Option<String>,
    /// MFA of the operators.
    #[command(flatten)]
    pub code: CodeOptions,
    /// Options of the report.
    #[command(flatten)]
    pub report: ReportOptions,
}

fn principal(text: &str) -> std::result::Result<String, String> {
    match text.split_once('/') {
        Some(("user" | "role", name)) if !name.is_empty() && !name.contains('/') => Ok(text.to_owned()),
        _ => Err("is not a user or role of the source account\n  hint: use user/NAME or role/NAME, without a path"
            .to_owned()),
    }
}

impl Verb for WhoGetsIn {
    const NAME: &'static str = "who";

    fn run(&self, start: &Start<'_>) -> Result<Ended> {
        let run = start.load()?;
        interrupt::guarded(&run, who(self, &run)).map(Ended::from)
    }
}

/// Runs `xacct who`.
async fn who(args: &WhoGetsIn, run: &Run<'_>) -> Result<ExitCode> {
    let mut links = links(args, run)?;
    let recorded = Source::from(&run.file.source);
    let source = Source {
        profile: args.profile.clone().or(recorded.profile.clone()),
        account_place: run.file.place_of_source("account"),
        ..recorded
    };
    let user = UserOptions::from(&args.code);
    let opening = Opening { user: &user, region: None, path_style: false, sts_rate: Some(args.report.sts_rate) };
    let connections = run.open_connections(opening)?;
    let access = accounts::source_access(&connections, &source).await?;
    links.iter().try_for_each(|link| link.check(Some(access.partition())))?;
    let progress = run.console.progress("who");
    progress.now("reading both accounts");
    let targets =
        side_by_side(&links, args.report.concurrency, async |link| read::target(&connections, link, &access).await);
    let (half, targets) = tokio::join!(read::source(&access, &source), targets);
    drop(progress);
    let half = half?;

    let nothing = Account::unreadable(half.operator.caller.account.clone());
    let account = half.account.present().unwrap_or(&nothing);
    let index = Index::new(account, now(run));
    let only = args.principal.as_deref().map(|text| find(&index, text, &half)).transpose()?;
    let answers: Vec<_> = links
        .drain(..)
        .zip(targets)
        .map(|(link, target)| {
            let answer = target.map(|target| {
                let mut answer = Answer::of(&link, &target, &index);
                answer.keep(only, args.undeclared);
                answer
            });
            Answered { link, answer }
        })
        .collect();
    if let ([Answered { answer: Err(error), .. }], None) = (answers.as_slice(), only) {
        return Err(error.clone());
    }
    let exit_code = exit_code(&answers, half.is_complete(), args.check);
    let shown = answer::Shown { index: &index, half: &half, answers: &answers, only, is_filtered: args.undeclared };
    if run.console.is_json() {
        run.console.result(&json::document(&shown, exit_code));
    } else {
        run.console.result(&text::report(&shown, run.console.width()));
    }
    Ok(exit_code)
}

/// Returns the links, with the options applied.
fn links(args: &WhoGetsIn, run: &Run<'_>) -> Result<Vec<Link>> {
    let mut links = run.links(args.target.as_slice())?;
    if let (Some(account), [_, _, ..]) = (&args.target, links.as_slice()) {
        let names = some_of(links.iter().map(|link| &link.name));
        return Err(Error::usage(format!("account {account} has several targets: {names}"))
            .hint("name one of them, or omit the target to show all"));
    }
    for link in &mut links {
        link.way_in = args.target_profile.clone().map_or_else(|| link.way_in.clone(), WayIn::Profile);
    }
    settle::read_trust_statements(&mut links, run)?;
    Ok(links)
}

/// Finds the user or role of `--principal`.
fn find(index: &Index<'_>, text: &str, half: &read::SourceHalf) -> Result<usize> {
    if let Some(unread) = half.unread() {
        return Err(Error::new(Kind::Refused, format!("cannot look up {text}: {unread}"))
            .hint("print the policy that the source operator needs: xacct print policies --for source-auditor"));
    }
    index.find(text).ok_or_else(|| {
        let list = match text.starts_with("role/") {
            true => "aws iam list-roles --query 'Roles[].RoleName'",
            false => "aws iam list-users --query 'Users[].UserName'",
        };
        let words = format!("account {} has no {}", index.account.id, text.replacen('/', " `", 1) + "`");
        Error::new(Kind::Refused, words).hint(format!("list them: {list}"))
    })
}

fn exit_code(answers: &[Answered], is_source_read: bool, check: bool) -> ExitCode {
    let codes = answers.iter().map(|answered| match &answered.answer {
        Err(error) => error.kind.exit_code(),
        Ok(answer) if check && answer.admits_undeclared() => ExitCode::ChangesPending,
        // Nobody was found, but not everything was read.
        Ok(answer) if !answer.is_complete() || !is_source_read => ExitCode::BrokenOrOpen,
        Ok(_) => ExitCode::Done,
    });
    ExitCode::worst(codes)
}

/// Returns the time, in seconds since 1970.
fn now(run: &Run<'_>) -> i64 {
    let elapsed = (run.context.now)().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX)
}
