//! Planting temporary credentials.

use time::OffsetDateTime;

use super::{Session, SessionOf, World};

/// How long planted credentials last: as long as those of GetSessionToken where nothing is asked for.
const PLANTED_SECONDS: i64 = 43_200;

impl World {
    /// Temporary credentials of a user for twelve hours, as GetSessionToken gives them: with MFA, or without. The user is
    /// made if it is missing.
    pub fn issue_user_session(&mut self, account: &str, user: &str, with_mfa: bool) -> &mut Session {
        // What exists is only looked at: a change of the accounts would end what propagates.
        let id = match self.user(account, user) {
            Some(user) => user.id.clone(),
            None => self.user_mut(account, user).id.clone(),
        };
        let session = self.issue(account, SessionOf::User { id });
        session.mfa = with_mfa.then_some(session.issued);
        session
    }

    /// Temporary credentials of a role for twelve hours, as AssumeRole gives them. Tags, source identity and session
    /// policies can be set on what is returned. The role is made if it is missing, and then trusts nobody.
    pub fn issue_role_session(&mut self, account: &str, role: &str, session_name: &str) -> &mut Session {
        if self.role(account, role).is_none() {
            self.change_role(account, role, |_| {});
        }
        let id = self.role(account, role).map(|role| role.id.clone()).unwrap_or_default();
        self.issue(account, SessionOf::Role { id, session_name: session_name.to_owned() })
    }

    fn issue(&mut self, account: &str, of: SessionOf) -> &mut Session {
        let session = Session::new(account, of, OffsetDateTime::now_utc(), PLANTED_SECONDS);
        self.sessions.entry(session.key.id.clone()).insert_entry(session).into_mut()
    }
}
