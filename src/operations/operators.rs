//! The operators' credentials, obtained when they are needed.

use tokio::sync::OnceCell;

use crate::aws::client::access::Access;
use crate::aws::connections::Connections;
use crate::config::{Link, WayIn};
use crate::error::Result;
use crate::operations::accounts::enter;

/// The operators of both accounts. Gets the source operator's credentials once, for all links.
pub struct Operators {
    connections: Connections,
    profile: Option<String>,
    source: OnceCell<Result<Access>>,
}

impl Operators {
    /// Returns the operators; the source operator has this profile, or the access `known`.
    pub fn new(connections: &Connections, profile: Option<String>, known: Option<Access>) -> Self {
        Self { connections: connections.clone(), profile, source: OnceCell::new_with(known.map(Ok)) }
    }

    /// Returns the source operator's access.
    ///
    /// # Errors
    /// When there are no credentials.
    pub async fn source(&self) -> Result<Access> {
        self.source.get_or_init(|| self.connections.access(self.profile.as_deref())).await.clone()
    }

    /// Returns the target operator's access.
    ///
    /// # Errors
    /// When there are no credentials, or the role that leads there cannot be assumed.
    pub async fn target(&self, link: &Link) -> Result<Access> {
        match &link.way_in {
            WayIn::EnterRole(_) => enter(&self.connections, link, Some(&self.source().await?)).await,
            _ => enter(&self.connections, link, None).await,
        }
    }
}
