//! The topics of `xacct help TOPIC`: Markdown files that code hosts show, too.

/// A topic of the help.
pub struct Topic {
    /// The name on the command line. No command has the same name.
    pub name: &'static str,
    /// One line for the list of topics.
    pub summary: &'static str,
    /// The text, in Markdown.
    pub text: &'static str,
}

/// Every topic, in the order of the help.
pub const TOPICS: &[Topic] = &[
    Topic {
        name: "config",
        summary: "Every key of xacct.toml, XACCT_ variables, and precedence",
        text: include_str!("config/README.md"),
    },
    Topic {
        name: "whose-credentials",
        summary: "Which credentials xacct uses for what",
        text: include_str!("aws/credentials/README.md"),
    },
    Topic {
        name: "permissions",
        summary: "Permissions of operators, the user and the role, and why",
        text: include_str!("../policies/README.md"),
    },
    Topic {
        name: "targets",
        summary: "Several accounts, two owners, existing roles",
        text: include_str!("commands/bootstrap/README.md"),
    },
    Topic { name: "proof", summary: "How xacct tests a link, step by step", text: include_str!("proof/README.md") },
    Topic {
        name: "causes",
        summary: "Every cause that diagnose can report",
        text: include_str!("diagnosis/README.md"),
    },
    Topic {
        name: "who-gets-in",
        summary: "Who gets through a link, and how xacct finds out",
        text: include_str!("commands/who/README.md"),
    },
    Topic {
        name: "sessions",
        summary: "Working with the role: shells, AWS profiles, MFA",
        text: include_str!("commands/exec/README.md"),
    },
    Topic {
        name: "settings",
        summary: "Settings for Terraform and other tools",
        text: include_str!("print/README.md"),
    },
    Topic {
        name: "removal",
        summary: "Removing links, sessions and leftover test buckets",
        text: include_str!("commands/teardown/README.md"),
    },
    Topic { name: "ci", summary: "Scripts and pipelines", text: include_str!("cli/README.md") },
    Topic { name: "exit-codes", summary: "Exit codes and JSON output", text: include_str!("report/README.md") },
    Topic {
        name: "networks",
        summary: "Proxies, CA bundles, endpoints, retries, rate limits",
        text: include_str!("aws/client/README.md"),
    },
    Topic {
        name: "security",
        summary: "What xacct protects against, and what it does not",
        text: include_str!("../policies/SECURITY.md"),
    },
];
