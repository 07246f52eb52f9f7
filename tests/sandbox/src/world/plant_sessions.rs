//! Creates temporary credentials directly, for tests.

use time::OffsetDateTime;

use super::{Session, SessionOf, World};

/// The duration of these credentials, which is GetSessionToken's default.
const PLANTED_SECONDS: i64 = 43_200;

impl World {
    /// Returns temporary credentials of a user for twelve hours, as from GetSessionToken, with or without MFA. Creates the
    /// user if it is missing.
    pub fn issue_user_session(&mut self, account: &str, user: &str, with_mfa: bool) -> &mut Session {
        // An existing user is only read, because a change of the accounts would end the propagation.
        let id = match self.user(account, user) {
            Some(user) => user.id.clone(),
            None => self.user_mut(account, user).id.clone(),
        };
        let session = self.issue(account, SessionOf::User { id });
        session.mfa = with_mfa.then_some(session.issued);
        session
    }

    /// Returns temporary credentials of a role for twelve hours, as from AssumeRole. The caller can set tags, source identity
    /// and session policies on the result. Creates the role if it is missing; it then trusts no principal.
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
