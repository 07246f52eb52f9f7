//! Reads which policy denied a request from AWS's message.

/// The kind of policy that denied, according to AWS's message (IAM User Guide, "Troubleshoot access denied error
/// messages").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeniedBy {
    ServiceControl,
    ResourceControl,
    VpcEndpoint,
    Session,
    Trust,
    Identity,
    Boundary,
}

impl DeniedBy {
    /// Reads the end of a message. Returns `None` if it names no policy, which is usual across accounts.
    pub fn of(message: &str) -> Option<Self> {
        let message = message.to_ascii_lowercase();
        let kinds = [
            // A message may name this kind after another one, so it comes first here.
            ("service control policy", Self::ServiceControl),
            ("resource control policy", Self::ResourceControl),
            ("vpc endpoint policy", Self::VpcEndpoint),
            ("role trust policy", Self::Trust),
            ("identity-based policy", Self::Identity),
            ("permissions boundary", Self::Boundary),
            ("session policy", Self::Session),
            ("sessions policy", Self::Session),
        ];
        let tail = [" because no ", " with an explicit deny in "].iter().find_map(|start| message.split_once(start))?.1;
        kinds.iter().find(|(words, _)| tail.contains(words)).map(|(_, kind)| *kind)
    }
}
