//! Repairs the trust policy to match `xacct.toml`.

use crate::diagnosis::cause::Side;
use crate::diagnosis::facts::Facts;
use crate::diagnosis::finding::Finding;
use crate::diagnosis::fix::{BootstrapWith, Fix, Half, VerifyWith, is_foreign_role};
use crate::iam::templates::{self, TrustTerms};

impl Finding {
    /// Repairs the trust policy to match the file. On a role that xacct did not create, the first fix only adds a
    /// statement, so that existing access stays.
    pub fn allow(self, facts: &Facts, with: BootstrapWith) -> Self {
        let Some(source) = facts.link.source_account.clone().filter(|_| is_foreign_role(facts)) else {
            return self.fix(Fix::bootstrap(Half::Target, facts, with));
        };
        let only = facts.link.principals().filter(|_| facts.link.restrict_to_user);
        let only = only.map(|principal| match facts.user_arn_of(principal) {
            Some(arn) => arn,
            None => principal.at_root(facts.link.role.partition, &source),
        });
        let only = only.collect();
        let terms = TrustTerms {
            partition: facts.link.role.partition,
            source,
            external_ids: facts.link.external_id.iter().chain(&facts.link.old_external_ids).cloned().collect(),
            require_mfa: facts.link.require_mfa,
            only,
            session_tags: with == BootstrapWith::SessionTags,
        };
        let document = templates::trust(&terms).to_value();
        let statements = document.get("Statement").and_then(serde_json::Value::as_array).cloned().unwrap_or_default();
        let into = format!("the trust policy of role {}", facts.link.role.name);
        let add = statements.into_iter().fold(Fix::by(Side::Target, facts), |fix, it| fix.put(into.clone(), it));
        self.fix(add.verify(facts, VerifyWith::Nothing)).fix(Fix::bootstrap(Half::Target, facts, with))
    }
}
