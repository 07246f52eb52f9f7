//! Callers whom the trust policy admits and the link does not declare.

use crate::diagnosis::cause::{Cause, Side};
use crate::diagnosis::facts::Facts;
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::fix::{BootstrapWith, Fix, Half, VerifyWith, toml_string};
use crate::diagnosis::policies;
use crate::diagnosis::statement::StatementRef;
use crate::iam::admission::{Admitted, Declared, Review, Subject, names};
use crate::iam::policy::{Element, PolicyDocument};
use crate::iam::state::FoundDocument;

/// What the trust policy makes of the declaration of the link.
#[derive(Default)]
pub struct Others {
    /// The finding, if the role may admit only declared callers and admits others.
    pub finding: Option<Finding>,
    /// What does not make the link wrong.
    pub warnings: Vec<String>,
    /// The accepted callers.
    pub notes: Vec<String>,
}

/// Reviews whom the trust policy admits, if it could be read.
pub fn reviewed(facts: &Facts) -> Others {
    let Some((role, document)) = facts.target.role.present().and_then(|role| Some((role, role.trust.policy()?))) else {
        return Others::default();
    };
    let Some(declared) = declared(facts) else { return Others::default() };
    let subject = Subject { tags: Some(&role.tags), now: facts.time(), ..Subject::from(&facts.link.role) };
    let review = declared.review(document, subject);
    let mut warnings: Vec<_> = review.warnings().collect();
    let mut finding = None;
    if role.is_ours || facts.link.is_recorded || facts.link.exclusive {
        finding = found(facts, document, &review);
    } else if !review.is_clean() {
        warnings.push(format!(
            "role {}, which xacct does not manage, {}; {}",
            facts.link.role.name,
            review.in_words(),
            Review::ACCEPT
        ));
    }
    Others { finding, warnings, notes: review.notes().collect() }
}

/// Returns whom the link declares; `None` if its source account is unknown.
fn declared(facts: &Facts) -> Option<Declared> {
    let source = facts.known_source_account()?;
    let statements = facts.link.trust_statements.as_ref().and_then(FoundDocument::policy);
    Some(Declared {
        source: source.clone(),
        only: facts.link.principals().filter(|_| facts.link.restrict_to_user).cloned().collect(),
        statements: statements.cloned().unwrap_or_else(|| PolicyDocument::of(Vec::new())),
        accepted: facts.link.accept.clone(),
    })
}

fn found(facts: &Facts, document: &PolicyDocument, review: &Review) -> Option<Finding> {
    let role = &facts.link.role.name;
    let finding = if !review.undeclared.is_empty() {
        let what = format!("role {role} admits {}, which the link does not declare", names(&review.undeclared));
        Finding::new(Cause::OthersAdmitted, what)
    } else if !review.undecided.is_empty() {
        let what = format!("role {role} may admit {}, which the link does not declare", names(&review.undecided));
        Finding::new(Cause::OthersAdmitted, what).likely()
    } else {
        return None;
    };
    let others: Vec<&Admitted> = review.undeclared.iter().chain(&review.undecided).collect();
    let mut statements: Vec<_> = others.iter().map(|admitted| admitted.statement).collect();
    statements.sort_unstable();
    statements.dedup();
    let statements = statements.into_iter().filter_map(|index| {
        let statement = document.statements.get(index)?;
        let place = StatementRef { policy: policies::trust_of_role(facts), document, statement, number: index + 1 };
        let principal = if matches!(statement.principal, Some(Element::Not(_))) { "NotPrincipal" } else { "Principal" };
        Some(Evidence::of(&place, vec![vec![principal.to_owned()]]))
    });
    let finding = statements.fold(finding, Finding::because);
    let finding = review.undecided.iter().fold(finding, |finding, admitted| {
        let why = admitted.undecided.as_deref().unwrap_or_default();
        finding.fact(format!("xacct cannot decide whether {} is admitted: {why}", admitted.who))
    });
    let accept = Fix::by(Side::LocalConfiguration, facts)
        .write_value(facts, "accept", &accept(facts, &others))
        .verify(facts, VerifyWith::Nothing);
    Some(finding.fix(Fix::bootstrap(Half::Target, facts, BootstrapWith::Nothing)).fix(accept))
}

/// Returns the value of `accept` with these callers added.
fn accept(facts: &Facts, others: &[&Admitted]) -> String {
    let entry = |who: &str, reason: &str| format!("{{ who = {}, reason = {} }}", toml_string(who), toml_string(reason));
    let mut entries: Vec<_> = facts.link.accept.iter().map(|known| entry(&known.who, &known.reason)).collect();
    for other in others {
        let entry = entry(&other.who.to_string(), "REASON");
        if !entries.contains(&entry) {
            entries.push(entry);
        }
    }
    format!("[{}]", entries.join(", "))
}
