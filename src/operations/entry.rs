//! The way into a target account.

use crate::aws::client::access::Access;
use crate::aws::connections::Connections;
use crate::aws::sts::{self, AssumeRole};
use crate::config::{Link, WayIn};
use crate::error::{Error, Result};
use crate::iam::arn::RoleArn;
use crate::iam::names::IamPath;

/// The credentials of the target's operator.
///
/// # Errors
/// When there are none, or the role that leads there cannot be entered.
pub async fn enter(connections: &Connections, link: &Link, source: Option<&Access>) -> Result<Access> {
    match &link.way_in {
        WayIn::Profile(name) => connections.access(Some(name)).await,
        WayIn::Search => connections.access(Some(&connections.profiles().of_account(&link.account, &link.role)?)).await,
        WayIn::EnterRole(role) => {
            let source = source.ok_or_else(|| {
                Error::usage("--enter-role is assumed by the source operator, who is not there with --only target")
                    .hint("name the profile of the target's operator: --target-profile NAME")
            })?;
            let arn = RoleArn::new(source.partition(), link.account.clone(), IamPath::root(), role.clone());
            let request = AssumeRole::new(arn, "xacct-bootstrap".parse()?);
            let session = sts::assume(source, &request).await.map_err(|error| {
                error.context(format!("role `{role}` cannot be entered")).hint(format!(
                    "allow the source operator ({}) sts:AssumeRole on {}, and let that role trust the operator's account",
                    source.origin, request.role
                ))
            })?;
            Ok(source.with_session(&session.credentials, format!("role {role}, entered from {}", source.origin)))
        }
    }
}
