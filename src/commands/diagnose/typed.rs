//! Which options were typed. With `--facts`, only these make xacct send requests: variables may be set for other runs.

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, FromArgMatches};

/// Whether the command line has these options, whatever variables say.
#[derive(Debug, Clone, Copy, Default)]
pub struct Typed {
    pub profile: bool,
    pub target_profile: bool,
    pub user_profile: bool,
    /// An option about the request, and its name.
    pub request: Option<&'static str>,
}

/// The options that concern only the request.
const OF_REQUEST: [(&str, &str); 5] = [
    ("mfa_code", "--mfa-code"),
    ("duration", "--duration"),
    ("session_name", "--session-name"),
    ("session_tag", "--session-tag"),
    ("source_identity", "--source-identity"),
];

impl Typed {
    /// Returns whether any of them names credentials.
    pub fn credentials(self) -> bool {
        self.profile || self.target_profile || self.user_profile
    }
}

impl FromArgMatches for Typed {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let is_typed = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
        Ok(Self {
            profile: is_typed("profile"),
            target_profile: is_typed("target_profile"),
            user_profile: is_typed("user_profile"),
            request: OF_REQUEST.into_iter().find(|(id, _)| is_typed(id)).map(|(_, option)| option),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// It has no options of its own.
impl Args for Typed {
    fn augment_args(command: Command) -> Command {
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        command
    }
}
