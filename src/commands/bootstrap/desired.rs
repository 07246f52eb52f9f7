//! Settles a link by what was found in the accounts.

use crate::config::{ExternalIdChoice, Link};
use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::iam::arn::Partition;
use crate::iam::names::ExternalId;
use crate::iam::state::ObservedRole;
use crate::operations::accounts::{SourceSide, TargetSide};

/// Settles what could not be settled before the role was looked at.
///
/// # Errors
/// When the role is restricted to another user and nobody said to change that, or the system gives no random bytes.
pub fn settle(link: &mut Link, source: &SourceSide, observed: Option<&ObservedRole>, context: &Context) -> Result<()> {
    let ours = observed.filter(|role| role.is_ours());
    if let Some(role) = ours {
        link.require_mfa |= link.keeps.mfa && role.demands_mfa();
        link.restrict_to_user |= link.keeps.user && role.admits_only(&source.user);
        if link.keeps.user
            && !link.restrict_to_user
            && let Some(other) = role.only_principal()
        {
            return Err(Error::new(
                Kind::Refused,
                format!("role `{}` in account {} admits only `{other}`", link.role, link.account),
            )
            .hint("make another role for this user: --role-name NAME")
            .hint("or open the role to whoever the source account grants it: --restrict-to-user=false"));
        }
    }
    let found = ours.and_then(ObservedRole::external_id).and_then(|id| id.parse().ok());
    link.external_id = match (&link.external_id, found) {
        (ExternalIdChoice::Generate | ExternalIdChoice::AsFound, Some(found)) => ExternalIdChoice::Use(found),
        (ExternalIdChoice::Generate, None) => {
            let mut bytes = [0; ExternalId::RANDOM_BYTES];
            (context.random)(&mut bytes)
                .map_err(|error| Error::new(Kind::Internal, format!("no random bytes: {error}")))?;
            ExternalIdChoice::Use(ExternalId::from_random_bytes(&bytes))
        }
        (ExternalIdChoice::AsFound, None) => ExternalIdChoice::None,
        (settled, _) => settled.clone(),
    };
    Ok(())
}

/// The partition that both accounts are in.
#[must_use]
pub fn partition(source: &SourceSide, target: Option<&TargetSide>) -> Partition {
    let of_target = target.and_then(|target| target.operator.caller.arn.partition());
    of_target.unwrap_or(source.user.partition)
}
