//! Who loses access when a trust policy is replaced, and whose statements stay.

use crate::iam::admission::{Accepted, Subject, Who, of_trust, reason};
use crate::iam::policy::{Effect, PolicyDocument, Statement};
use crate::iam::templates::is_own_sid;

/// Returns the statements of others in a trust policy that admit nobody but accepted callers, and are not in `desired`.
///
/// Each is judged without the others, because only it will stay. A statement with a name of xacct's is the link's own,
/// whomever it admits.
pub(super) fn accepted_statements(
    found: &PolicyDocument,
    desired: &PolicyDocument,
    accepted: &[Accepted],
    role: Subject<'_>,
) -> Vec<Statement> {
    let is_own = |statement: &Statement| statement.sid.as_deref().is_some_and(is_own_sid);
    let alone = |statement: &Statement| PolicyDocument { statements: vec![statement.clone()], ..found.clone() };
    let is_accepted = |statement: &&Statement| {
        let admitted = of_trust(&alone(statement), role);
        !desired.contains(statement)
            && !admitted.is_empty()
            && admitted.iter().all(|admitted| reason(accepted, &admitted.who).is_some())
    };
    let theirs = found.statements.iter().filter(|statement| statement.effect == Effect::Allow && !is_own(statement));
    theirs.filter(is_accepted).cloned().collect()
}

/// Returns the classes of callers whom `from` admits and `to` does not, each once.
pub(super) fn removed(from: &PolicyDocument, to: &PolicyDocument, role: Subject<'_>) -> Vec<Who> {
    let stay = of_trust(to, role);
    let mut removed = Vec::new();
    for who in of_trust(from, role).into_iter().map(|admitted| admitted.who) {
        if !who.is_nobody() && !removed.contains(&who) && !stay.iter().any(|stays| stays.who.covers(&who)) {
            removed.push(who);
        }
    }
    removed
}
