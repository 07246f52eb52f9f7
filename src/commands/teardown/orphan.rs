//! `teardown --orphan`: removes a role or a grant that xacct made, and that no `xacct.toml` names any more.

use std::collections::BTreeSet;

use super::arguments::{OrphanName, Teardown};
use crate::config::{self, Link, Source};
use crate::error::{Error, Kind, Result};
use crate::iam::arn::{PolicyArn, PrincipalArn, PrincipalRef, RoleArn, RoleRef};
use crate::iam::identity::Identity;
use crate::iam::names::{IamPath, PolicyName};
use crate::iam::orphans::Named;
use crate::iam::plan::Plan;
use crate::iam::plan::teardown::{
    Lost, Objection, Removal, StandingRole, plan_grant_removal, plan_whole_grant_removal, roles_of_grant,
};
use crate::iam::record::Record;
use crate::iam::state::{BOUNDARY_TAG, ObservedPrincipal, SOURCE_TAG, is_ours};
use crate::operations::objection::with_hints;
use crate::operations::run::Run;

/// The orphan to remove.
#[derive(Debug, Clone)]
pub struct Orphan {
    named: Named,
    /// As on the command line.
    typed: String,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    /// A role, and its entry in the grant.
    Role(Box<Link>),
    /// What is orphaned in the grant of a principal.
    Grant(PrincipalRef),
}

impl Orphan {
    /// Resolves the option; sends nothing.
    ///
    /// # Errors
    /// When a target names the role, or the account is unknown or the wrong one.
    pub fn resolve(args: &Teardown, run: &Run<'_>) -> Result<Option<Self>> {
        let Some(name) = &args.orphan else { return Ok(None) };
        if run.file.text.is_none() {
            // Without the file, everything would be an orphan.
            config::recorded_links(&run.file, &[], None)?;
        }
        let named = run.file.named(run.context)?;
        let (typed, what) = match name {
            // A role of the source account has no link, but a grant.
            OrphanName::Role(arn) if run.file.source.account() == Some(&arn.account) => {
                (arn.to_string(), What::Grant(PrincipalRef::Role(RoleRef::Arn(arn.clone()))))
            }
            OrphanName::Role(arn) => {
                (arn.to_string(), What::Role(config::link_to_orphan(&run.file, arn, &args.access)?.into()))
            }
            OrphanName::RoleName(name) => {
                let accounts: BTreeSet<_> = run.file.targets.iter().map(|(_, target)| &target.account).collect();
                let (Some(account), true) = (accounts.first(), accounts.len() <= 1) else {
                    return Err(Error::usage(format!(
                        "role `{name}` could be in any of {} target accounts",
                        accounts.len()
                    ))
                    .hint(format!("use its ARN: --orphan arn:aws:iam::ACCOUNT:role/{name}")));
                };
                let partition = run.file.partition_of(None);
                let arn = RoleArn::new(partition, (*account).clone(), IamPath::root(), name.clone());
                (name.to_string(), What::Role(config::link_to_orphan(&run.file, &arn, &args.access)?.into()))
            }
            OrphanName::Principal(principal) => {
                let account = run.file.source.account().or(args.access.source_account.as_ref());
                if let (Some(account), Some(of_principal)) = (account, principal.account())
                    && account != of_principal
                {
                    return Err(Error::usage(format!(
                        "the {} is in account {of_principal}, but the source account is {account}",
                        principal.kind()
                    ))
                    .hint("use the xacct.toml of that account: --config FILE"));
                }
                (principal.without_account().to_string(), What::Grant(principal.clone()))
            }
        };
        if let What::Role(link) = &what
            && named.has_role(&link.account, &link.role)
        {
            let error = Error::usage(format!("role `{}` in account {} is no orphan", link.role, link.account));
            return Err(match config::target_with(&run.file, &link.account, &link.role) {
                Some(target) => error
                    .note(format!("target `{target}` has it"))
                    .hint(format!("remove the target: {}", run.file.xacct().arg("teardown").arg(target))),
                None => {
                    error.note("a target of one of other_files has it").hint("remove it with that file: --config FILE")
                }
            });
        }
        Ok(Some(Self { named, typed, what }))
    }

    /// Returns how the command line names it.
    #[must_use]
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// Returns what there is to remove, in words.
    #[must_use]
    pub fn in_words(&self) -> String {
        match &self.what {
            What::Role(link) => format!("role {} in account {}, nor a grant for it", link.role, link.account),
            What::Grant(principal) if self.named.has_principal(principal) => {
                format!("role in the grant of {} that no target names", plainly(principal))
            }
            What::Grant(principal) => format!("grant of {}", plainly(principal)),
        }
    }

    /// Returns the role as a link; none for a grant.
    #[must_use]
    pub fn links(&self) -> Vec<Link> {
        match &self.what {
            What::Role(link) => vec![(**link).clone()],
            What::Grant(_) => Vec::new(),
        }
    }

    /// Returns the source account with the principal whose grant changes.
    #[must_use]
    pub fn source(&self, recorded: Source, run: &Run<'_>) -> Source {
        match &self.what {
            // Each of them may have the role in its grant.
            What::Role(_) => Source { principals: run.file.principals.clone(), ..recorded },
            What::Grant(principal) => Source { principals: vec![principal.clone()], ..recorded },
        }
    }

    /// Returns the principal whose grant is removed; `None` for a role.
    #[must_use]
    pub fn principal(&self) -> Option<&PrincipalRef> {
        match &self.what {
            What::Role(_) => None,
            What::Grant(principal) => Some(principal),
        }
    }

    /// Returns what the role's own tags and trust policy say of it, in place of the settings of a target: no setting
    /// describes an orphan.
    ///
    /// # Errors
    /// When its tags do not say whose it is.
    pub fn removal(&self, removal: Removal, standing: &StandingRole) -> Result<Removal> {
        if !standing.tags.contains_key(SOURCE_TAG) && is_ours(&standing.tags) {
            return Err(self.refused(&[Objection::NoSource(removal.role)]));
        }
        let record = Record::of_tags(&standing.tags);
        let attached = standing.attachments.iter().filter(|arn| record.has_attached(arn));
        let attachments: BTreeSet<PolicyArn> = attached.filter_map(|arn| arn.parse().ok()).collect();
        // The tag has no ARN: a role with it has a boundary that xacct set, or found and recorded.
        let boundary = standing.boundary.as_ref().filter(|_| standing.tags.contains_key(BOUNDARY_TAG));
        let boundary = boundary.and_then(|arn| arn.parse().ok());
        let identity = Identity::of_role(&standing.tags, standing.trust.policy());
        // A name alone does not tell the path.
        let found = standing.arn.parse::<RoleArn>().ok().filter(|_| self.typed == removal.role.name.as_str());
        let role = found.unwrap_or_else(|| removal.role.clone());
        Ok(Removal { role, identity, attachments, boundary, ..removal })
    }

    /// Returns one error for all objections to the role, with hints for each.
    #[must_use]
    pub fn refused(&self, objections: &[Objection]) -> Error {
        let said = objections.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        let error = Error::new(Kind::Refused, said);
        let What::Role(link) = &self.what else { return error };
        objections.iter().fold(error, |error, objection| match objection {
            Objection::Foreign(_) | Objection::NoSource(_) | Objection::OtherLink { .. } => {
                error.hint("remove it with the tool that made it; xacct removes only what it made for this account")
            }
            Objection::OtherSource { owner, .. } => {
                error.hint(format!("use the xacct.toml of account {owner}: --config FILE"))
            }
            Objection::OtherArn { found, .. } => error.hint(format!("use this ARN: --orphan {found}")),
            _ => with_hints(error, objection, link, None),
        })
    }

    /// Plans the changes to the grant of this principal, who has it as observed. `roles` are those that were removed.
    #[must_use]
    pub fn plan_grant(
        &self,
        principal: &PrincipalArn,
        name: &PolicyName,
        roles: &BTreeSet<RoleArn>,
        observed: Option<&ObservedPrincipal>,
    ) -> Plan {
        let policies = || observed.into_iter().flat_map(ObservedPrincipal::policies);
        match &self.what {
            What::Grant(of) if !self.named.has_principal(of) => plan_whole_grant_removal(principal, name, observed),
            What::Grant(of) => {
                let roles = self.named.orphaned_of(of, observed.map(roles_of_grant).unwrap_or_default());
                let gone = policies().flat_map(|policy| self.named.orphaned_names(of, policy)).collect();
                plan_grant_removal(principal, name, Lost { roles: &roles, gone: &gone }, observed)
            }
            What::Role(_) => {
                let gone = self.named.names_lost(&principal.reference(), roles);
                plan_grant_removal(principal, name, Lost { roles, gone: &gone }, observed)
            }
        }
    }
}

fn plainly(principal: &PrincipalRef) -> String {
    principal.in_words().replace('`', "")
}
