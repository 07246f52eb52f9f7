//! What AWS's message says about a denial.

/// Which kind of policy AWS's message says refused (IAM User Guide, "Troubleshoot access denied error messages").
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
    /// Reads the end of a message; `None` where it says nothing, as is usual between accounts.
    pub fn of(message: &str) -> Option<Self> {
        let message = message.to_ascii_lowercase();
        let kinds = [
            // Last in the message when another policy is evaluated through it, so looked for first.
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
