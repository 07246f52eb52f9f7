//! `teardown --gone`: removes the grant for a target account that is closed.

use crate::answers::Meaning;
use crate::aws::client::access::Access;
use crate::aws::connections::Connections;
use crate::aws::sts;
use crate::config::Link;
use crate::error::{Error, Kind, Result};
use crate::operations::accounts;
use crate::text::shell::ShellCommand;

/// Asks only whose the target operator's credentials are, and returns why nothing answers for the account.
///
/// # Errors
/// When the account answers, or nothing shows whether it would.
pub async fn unanswered(connections: &Connections, link: &Link, source: Option<&Access>) -> Result<String> {
    let account = &link.account;
    let access = accounts::enter(connections, link, source).await;
    let signs_in = access.as_ref().is_ok_and(|access| access.signs_in.is_some());
    let caller = match &access {
        Ok(access) => sts::caller(access).await,
        Err(error) => Err(error.clone()),
    };
    match caller {
        Ok(caller) if caller.account == *account => {
            let teardown = ShellCommand::new("xacct").arg("teardown").arg(&link.name);
            Err(Error::new(Kind::Refused, format!("account {account} is not closed: it answers as {}", caller.arn))
                .hint(format!("remove both halves: {teardown}"))
                .hint(format!("or remove only the grant: {}", teardown.option("--only", "source"))))
        }
        Ok(caller) => Ok(format!("the credentials belong to account {}", caller.account)),
        // A sign-in that expired says nothing, either.
        Err(error) if says_nothing(&error) || (signs_in && error.aws.is_none()) => {
            Err(error.context(format!("cannot tell whether account {account} is closed")).note("nothing was changed"))
        }
        Err(error) => Ok(error.own_message_and_answer()),
    }
}

/// Whether an open account could give this error: AWS was busy or out of reach, or the credentials of this machine are the
/// problem.
fn says_nothing(error: &Error) -> bool {
    let of_this_machine = matches!(
        error.meaning(),
        Some(Meaning::SessionExpired | Meaning::Clock | Meaning::WrongSecret | Meaning::MfaCodeWrong)
    );
    error.kind == Kind::Network || error.is_busy() || of_this_machine
}
