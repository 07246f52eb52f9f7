//! Reads `xacct.toml`. Every error names the file, the line and the fix.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use toml_edit::{Document, Item, TableLike, Value};

use super::file::{
    ConfigFile, DEFAULT_ROLE_NAME, EXTERNAL_ID_ELSEWHERE, Local, LocalTarget, Manager, OtherRole, Recorded,
    RecordedSource,
};
use super::grant::{GrantSettings, no_organization};
use crate::cli::{BucketNamespace, GrantScope, Probe, SetGrant};
use crate::error::{Error, Kind, Result};
use crate::files;
use crate::iam::admission::{Accepted, Who};
use crate::iam::arn::{PrincipalRef, RoleArn, UserRef};
use crate::iam::invalid::{Invalid, shown};
use crate::iam::names::{AccountId, Description, ExternalId, Region, RoleName, Tag, TagKey, TagValue};
use crate::text::{is_hidden, spelled};

impl ConfigFile {
    /// Reads the file, and `xacct.local.toml` beside it. A missing file counts as empty.
    ///
    /// # Errors
    /// When it cannot be read, is not TOML, has an unknown key, a wrong type or value, or contradicts itself.
    pub fn load(path: &Path) -> Result<Self> {
        let file = match text_of(path)? {
            Some(text) => Self::parse(path, text)?,
            None => Self { path: path.to_owned(), ..Self::default() },
        };
        file.with_local(Local::beside(path)?)
    }

    /// Reads the text of a file, without what is beside it.
    ///
    /// # Errors
    /// As [`ConfigFile::load`].
    pub fn parse(path: &Path, text: String) -> Result<Self> {
        let document = document(path, &text)?;
        let reader = Reader { path, text: &text };
        let root = Section { reader, name: String::new(), start: None, table: document.as_table() };
        root.check_ours()?;
        root.only(&SECTIONS)?;

        let source = match root.section("source")? {
            None => RecordedSource::default(),
            Some(source) => read_source(&source)?,
        };
        let mut targets = Vec::new();
        if let Some(section) = root.section("targets")? {
            for (name, _) in section.table.iter() {
                section.check_visible(name, "a name", name)?;
                if let Some(target) = section.section(name)? {
                    let record = read_target(&target)?;
                    check_account_of_principals(&target, &record, source.account())?;
                    targets.push((name.to_owned(), record));
                }
            }
            section.no_twins(&targets)?;
        }
        let regions = targets.iter().filter_map(|(_, target)| target.region.as_ref());
        let partitions = regions.map(Region::partition).collect();
        let principals = all_principals(&source, &targets);
        let (path, text) = (path.to_owned(), Some(text));
        Ok(Self { path, text, source, targets, principals, partitions, local: Local::default() })
    }

    /// Returns a place such as `xacct.toml:7`, for errors about a setting of the source.
    #[must_use]
    pub fn place_of_source(&self, key: &str) -> Option<String> {
        let text = self.text.as_deref()?;
        let document = Document::parse(text).ok()?;
        let (key, _) = document.get("source")?.as_table_like()?.get_key_value(key)?;
        Some(format!("{}:{}", self.path.display(), line_at(text, key.span()?.start)))
    }

    /// Returns the line of each target's table, by the target's name.
    #[must_use]
    pub fn lines_of_targets(&self) -> BTreeMap<String, usize> {
        let text = self.text.as_deref().unwrap_or_default();
        let document = Document::parse(text).ok();
        let targets = document.as_ref().and_then(|document| document.get("targets")?.as_table_like());
        let ends: Vec<_> = text.match_indices('\n').map(|(end, _)| end).collect();
        let line_at = |offset: usize| ends.partition_point(|end| *end < offset) + 1;
        let line = |(name, item): (&str, &Item)| Some((name.to_owned(), line_at(item.span()?.start)));
        targets.into_iter().flat_map(|targets| targets.iter().filter_map(line).collect::<Vec<_>>()).collect()
    }
}

/// Returns the text of a file; `None` if there is none.
fn text_of(path: &Path) -> Result<Option<String>> {
    match files::read(path, files::LONGEST_TEXT) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::new(Kind::File, format!("cannot read `{}`: {error}", path.display()))),
    }
}

fn document<'a>(path: &Path, text: &'a str) -> Result<Document<&'a str>> {
    Document::parse(text).map_err(|error| {
        if let Some(line) = conflict(text) {
            let message = "this line is a conflict marker: a merge of two versions is not finished";
            return Error::usage(format!("{}:{line}: {message}", path.display()))
                .hint("keep what is right of both versions, and remove the lines with <<<<<<<, ======= and >>>>>>>");
        }
        let line = error.span().map_or(1, |span| line_at(text, span.start));
        // The message does not quote the line: the path may name another file, with secrets.
        Error::usage(format!("{}:{line}: {}", path.display(), error.message().replace('\n', ", ")))
            .hint("the file must be TOML (https://toml.io)")
    })
}

/// Returns the line with the first conflict marker of Git (git-merge(1), "How conflicts are presented").
fn conflict(text: &str) -> Option<usize> {
    let is_marker = |line: &str| line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> ");
    text.lines().position(is_marker).map(|at| at + 1)
}

/// What the file has at most.
const SECTIONS: [&str; 2] = ["source", "targets"];
const SOURCE_SETTINGS: [&str; 9] =
    ["account", "user", "principals", "profile", "user_profile", "other_files", "grant", "set_grant", "organization"];
const TARGET_SETTINGS: [&str; 30] = [
    "account",
    "profile",
    "enter_role",
    "role",
    "role_path",
    "moving_to",
    "moved_from",
    "link",
    "external_id",
    "require_mfa",
    "principals",
    "restrict_to_user",
    "allow_session_tags",
    "policy_arns",
    "policy_files",
    "trust_statement_files",
    "permissions_boundary",
    "max_session_duration",
    "description",
    "tags",
    "session_name",
    "session_tags",
    "source_identity",
    "region",
    "probe",
    "bucket_tags",
    "bucket_namespace",
    "accept",
    "exclusive",
    "managed_by",
];

fn read_source(section: &Section<'_>) -> Result<RecordedSource> {
    section.only(&SOURCE_SETTINGS)?;
    let (account, user) = (section.account()?, section.parsed::<UserRef>("user")?);
    let listed = principals(section)?;
    if user.is_some() && !listed.is_empty() {
        return Err(section
            .error("principals", "`user` and `principals` cannot be used together")
            .hint("move the user to the list, as \"user/NAME\""));
    }
    let (key, kind) = if user.is_some() { ("user", "user") } else { ("principals", "principal") };
    let lists_principals = !listed.is_empty();
    let principals: Vec<_> = user.map(PrincipalRef::from).into_iter().chain(listed).collect();
    let own = principals.iter().find_map(PrincipalRef::account);
    let known = account.as_ref().or(own);
    if let Some(other) = principals.iter().filter_map(PrincipalRef::account).find(|other| known != Some(*other))
        && let Some(known) = known
    {
        return Err(section
            .error(key, format!("the {kind} is in account {other}, but the source account is {known}"))
            .hint(format!("specify a {kind} of the source account, or change the account")));
    }
    Ok(RecordedSource {
        account,
        principals,
        lists_principals,
        profile: section.string("profile")?,
        user_profile: section.string("user_profile")?,
        other_files: section.paths("other_files")?,
        grant: read_grant(section)?,
    })
}

/// Reads how the principals get their grant.
fn read_grant(section: &Section<'_>) -> Result<GrantSettings> {
    let grant = GrantSettings {
        scope: section.one_of("grant", &GrantScope::ALL.map(|scope| (scope.id(), scope)))?,
        set_grant: section.one_of("set_grant", &SetGrant::ALL.map(|place| (place.id(), place)))?,
        organization: section.parsed("organization")?,
    };
    match grant.lacks_organization() {
        None => Ok(grant),
        Some((key, value)) => {
            let Error { message, hints, .. } = no_organization(key, value);
            Err(hints.into_iter().fold(section.error(key, message), Error::hint))
        }
    }
}

/// Reads `principals` of the source or of a target; empty if there is no such line.
fn principals(section: &Section<'_>) -> Result<Vec<PrincipalRef>> {
    let principals = section.list("principals")?;
    if principals.is_empty() && section.table.contains_key("principals") {
        return Err(section
            .error("principals", "`principals` is empty")
            .hint("list at least one, such as \"user/alice\", or remove the line"));
    }
    refuse_repeated(section, &principals)?;
    Ok(principals)
}

/// Returns the principals of the source and of single targets, each once.
fn all_principals(source: &RecordedSource, targets: &[(String, Recorded)]) -> Vec<PrincipalRef> {
    let of_targets = targets.iter().flat_map(|(_, record)| &record.principals);
    let mut known = HashSet::new();
    let all = source.principals.iter().chain(of_targets);
    all.filter(|principal| known.insert(principal.label())).cloned().collect()
}

/// Refuses principals of a target that are not of the source account.
fn check_account_of_principals(section: &Section<'_>, record: &Recorded, source: Option<&AccountId>) -> Result<()> {
    let known = source.or_else(|| record.principals.iter().find_map(PrincipalRef::account));
    match record.principals.iter().filter_map(PrincipalRef::account).find(|other| known != Some(*other)) {
        Some(other) => {
            let known = known.map(ToString::to_string).unwrap_or_default();
            let what = format!("the principal is in account {other}, but the source account is {known}");
            Err(section.error("principals", what).hint("specify a principal of the source account"))
        }
        None => Ok(()),
    }
}

/// Refuses a principal that is listed twice.
fn refuse_repeated(section: &Section<'_>, principals: &[PrincipalRef]) -> Result<()> {
    let mut seen = BTreeSet::new();
    match principals.iter().find(|principal| !seen.insert(principal.label())) {
        Some(twice) => {
            Err(section.error("principals", format!("`{}` is listed twice", twice.label())).hint("remove one of them"))
        }
        None => Ok(()),
    }
}

fn read_target(section: &Section<'_>) -> Result<Recorded> {
    section.only(&TARGET_SETTINGS)?;
    if section.table.contains_key("profile") && section.table.contains_key("enter_role") {
        return Err(section
            .error("enter_role", "`profile` and `enter_role` cannot be used together")
            .hint("keep the one that gives access to the target account"));
    }
    let Some(account) = section.account()? else {
        let first = section.table.iter().next().and_then(|(key, _)| section.key_start(key));
        return Err(section
            .reader
            .error(first.or(section.start), format!("[{}] has no `account`", section.name))
            .hint("add the 12-digit ID of the target account: account = \"222222222222\""));
    };
    let is_external_id_elsewhere =
        section.table.get("external_id").and_then(Item::as_str) == Some(EXTERNAL_ID_ELSEWHERE);
    let mut ids = match is_external_id_elsewhere {
        true => Vec::new(),
        false => section.external_ids("external_id")?,
    }
    .into_iter();
    Ok(Recorded {
        profile: section.string("profile")?,
        enter_role: section.parsed("enter_role")?,
        role: section.parsed("role")?,
        role_path: section.parsed("role_path")?,
        other_role: section.other_role(&account)?,
        link: section.parsed("link")?,
        external_id: ids.next(),
        old_external_ids: ids.collect(),
        is_external_id_elsewhere,
        require_mfa: section.boolean("require_mfa")?,
        principals: principals(section)?,
        restrict_to_user: section.boolean("restrict_to_user")?,
        allow_session_tags: section.boolean("allow_session_tags")?,
        policy_arns: section.list("policy_arns")?,
        policy_files: section.paths("policy_files")?,
        trust_statement_files: section.paths("trust_statement_files")?,
        permissions_boundary: section.parsed("permissions_boundary")?,
        max_session_duration: section.parsed("max_session_duration")?,
        description: section.description()?,
        tags: section.tags("tags")?,
        session_name: section.parsed("session_name")?,
        session_tags: section.tags("session_tags")?,
        source_identity: section.parsed("source_identity")?,
        region: section.parsed("region")?,
        probe: section
            .one_of("probe", &[("auto", Probe::Auto), ("bucket", Probe::Bucket), ("identity", Probe::Identity)])?,
        bucket_tags: section.tags("bucket_tags")?,
        bucket_namespace: section.one_of(
            "bucket_namespace",
            &[("global", BucketNamespace::Global), ("account-regional", BucketNamespace::AccountRegional)],
        )?,
        accept: section.accepted("accept")?,
        exclusive: section.boolean("exclusive")?,
        managed_by: section.one_of("managed_by", &[(Manager::Terraform.id(), Manager::Terraform)])?,
        account,
    })
}

/// A path, which is checked only when xacct reads the file.
struct PathText(PathBuf);

impl FromStr for PathText {
    type Err = Invalid;

    fn from_str(text: &str) -> std::result::Result<Self, Invalid> {
        Ok(Self(text.into()))
    }
}

#[derive(Clone, Copy)]
struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Reader<'_> {
    fn error(&self, at: Option<usize>, message: impl Into<String>) -> Error {
        let line = at.map_or(1, |at| line_at(self.text, at));
        Error::usage(format!("{}:{line}: {}", self.path.display(), message.into()))
    }
}

/// One table of the file, with its name there.
struct Section<'a> {
    reader: Reader<'a>,
    name: String,
    /// Where the table begins.
    start: Option<usize>,
    table: &'a dyn TableLike,
}

impl<'a> Section<'a> {
    fn key_start(&self, key: &str) -> Option<usize> {
        Some(self.table.get_key_value(key)?.0.span()?.start)
    }

    fn error(&self, key: &str, message: impl Into<String>) -> Error {
        self.reader.error(self.key_start(key), message)
    }

    fn wrong_type(&self, key: &str, wanted: &str, example: &str) -> Error {
        let found = self.table.get(key).map_or("nothing", Item::type_name);
        self.error(key, format!("`{key}` must be {wanted}, not {}", with_article(found)))
            .hint(format!("for example: {key} = {example}"))
    }

    /// Refuses a file of another program: its keys and values may be secrets, and are not repeated.
    fn check_ours(&self) -> Result<()> {
        let is_misplaced = |key: &str| SOURCE_SETTINGS.contains(&key) || TARGET_SETTINGS.contains(&key);
        let is_foreign = |key: &str| !is_misplaced(key) && SECTIONS.iter().all(|known| distance(known, key) > 3);
        match self.table.iter().find(|(key, _)| is_foreign(key)) {
            None => Ok(()),
            Some((key, _)) => Err(self
                .error(key, "unknown setting")
                .note(format!("the settings are {}", SECTIONS.join(", ")))
                .hint("specify the file with your links: --config FILE")),
        }
    }

    /// Refuses unknown keys, and suggests the nearest known one.
    fn only(&self, known: &[&str]) -> Result<()> {
        let Some((key, _)) = self.table.iter().find(|(key, _)| !known.contains(key)) else {
            return Ok(());
        };
        let place = if self.name.is_empty() { "at the top level".to_owned() } else { format!("in [{}]", self.name) };
        let error = self.error(key, format!("unknown setting `{}` {place}", shown(key)));
        let nearest = known.iter().min_by_key(|candidate| distance(candidate, key));
        Err(match nearest {
            Some(nearest) if distance(nearest, key) <= 3 => error.hint(format!("did you mean `{nearest}`?")),
            _ => error.note(format!("the settings are {}", known.join(", "))).hint("remove it, or use one of these"),
        })
    }

    fn section(&self, key: &str) -> Result<Option<Section<'a>>> {
        let Some(item) = self.table.get(key) else {
            return Ok(None);
        };
        let name = if self.name.is_empty() { key.to_owned() } else { format!("{}.{}", self.name, shown(key)) };
        match item.as_table_like() {
            Some(table) => {
                let start = item.span().map(|span| span.start).or_else(|| self.key_start(key));
                Ok(Some(Section { reader: self.reader, name, start, table }))
            }
            None => Err(self
                .error(key, format!("`{}` must be a table", shown(key)))
                .hint(format!("write [{name}] with the settings below it"))),
        }
    }

    fn string(&self, key: &str) -> Result<Option<String>> {
        match self.table.get(key) {
            None => Ok(None),
            Some(item) => match item.as_str() {
                Some("") => Err(self.error(key, format!("`{key}` is empty")).hint("set a value, or remove the line")),
                Some(text) => self.check_visible(key, &format!("`{key}`"), text).map(|()| Some(text.to_owned())),
                None => Err(self.wrong_type(key, "a string", example(key))),
            },
        }
    }

    /// Refuses control characters, which could change what a terminal shows.
    fn check_visible(&self, key: &str, what: &str, text: &str) -> Result<()> {
        match text.chars().find(|c| is_hidden(*c)) {
            None => Ok(()),
            Some(hidden) => Err(self
                .error(key, format!("{what} contains the control character {}", spelled(hidden)))
                .hint("remove the character")),
        }
    }

    fn parsed<T: FromStr<Err = Invalid>>(&self, key: &str) -> Result<Option<T>> {
        self.string(key)?.map(|text| self.parse(key, &text)).transpose()
    }

    fn account(&self) -> Result<Option<AccountId>> {
        let text = self.string("account")?;
        let account = text.map(|text| AccountId::typed(&text));
        account.transpose().map_err(|invalid| self.error("account", invalid.to_string()).hint(invalid.fix))
    }

    fn parse<T: FromStr<Err = Invalid>>(&self, key: &str, text: &str) -> Result<T> {
        text.parse().map_err(|invalid: Invalid| self.error(key, invalid.to_string()).hint(invalid.fix))
    }

    /// Reads the description, which may be empty: then the role has none.
    fn description(&self) -> Result<Option<Description>> {
        match self.table.get("description").and_then(Item::as_str) {
            Some("") => self.parse("description", "").map(Some),
            _ => self.parsed("description"),
        }
    }

    fn boolean(&self, key: &str) -> Result<Option<bool>> {
        let item = self.table.get(key);
        item.map(|item| item.as_bool().ok_or_else(|| self.wrong_type(key, "true or false", "true"))).transpose()
    }

    /// Reads the other role of a target that is moved.
    fn other_role(&self, account: &AccountId) -> Result<Option<OtherRole>> {
        let read = |key: &str| -> Result<Option<RoleArn>> {
            let role = self.parsed::<RoleArn>(key)?;
            match role.as_ref().filter(|role| role.account != *account) {
                Some(role) => Err(self
                    .error(
                        key,
                        format!(
                            "`{key}` names a role in account {}, but the target is account {account}",
                            role.account
                        ),
                    )
                    .hint("use the ARN of a role in the target account")),
                None => Ok(role),
            }
        };
        match (read("moving_to")?, read("moved_from")?) {
            (Some(_), Some(_)) => Err(self
                .error("moved_from", "`moving_to` and `moved_from` cannot be used together")
                .hint("keep `moving_to` if the role has not been moved yet")),
            (new, old) => Ok(new.map(OtherRole::New).or(old.map(OtherRole::Old))),
        }
    }

    /// Reads the external ID, or the list of it and older ones that the role still accepts.
    fn external_ids(&self, key: &str) -> Result<Vec<ExternalId>> {
        if !self.table.get(key).is_some_and(Item::is_array) {
            return Ok(self.parsed(key)?.into_iter().collect());
        }
        let ids = self.list::<ExternalId>(key)?;
        if ids.is_empty() {
            let error = self.error(key, format!("`{key}` must not be an empty list"));
            return Err(error.hint(format!("to require no external ID, remove `{key}`")));
        }
        let mut known = BTreeSet::new();
        match ids.iter().find(|id| !known.insert(*id)) {
            Some(twice) => {
                let error = self.error(key, format!("`{key}` contains `{twice}` twice"));
                Err(error.hint("list each external ID once, the new one first"))
            }
            None => Ok(ids),
        }
    }

    fn list<T: FromStr<Err = Invalid>>(&self, key: &str) -> Result<Vec<T>> {
        let Some(item) = self.table.get(key) else {
            return Ok(Vec::new());
        };
        let wrong = || {
            self.error(key, format!("`{key}` must be a list of strings")).hint(format!("for example: {key} = [\"…\"]"))
        };
        let list = item.as_array().ok_or_else(wrong)?;
        let item = |value: &Value| {
            let text = value.as_str().ok_or_else(wrong)?;
            self.check_visible(key, &format!("`{key}`"), text)?;
            self.parse(key, text)
        };
        list.iter().map(item).collect()
    }

    fn paths(&self, key: &str) -> Result<Vec<PathBuf>> {
        Ok(self.list::<PathText>(key)?.into_iter().map(|path| path.0).collect())
    }

    fn tags(&self, key: &str) -> Result<Vec<Tag>> {
        let Some(item) = self.table.get(key) else {
            return Ok(Vec::new());
        };
        let wrong = || {
            self.error(key, format!("`{key}` must be a table of strings"))
                .hint(format!("for example: {key} = {{ team = \"platform\" }}"))
        };
        let table = item.as_table_like().ok_or_else(wrong)?;
        let tags: BTreeMap<_, _> = table.iter().collect();
        let mut read = Vec::new();
        for (name, value) in tags {
            let value = value.as_str().ok_or_else(wrong)?;
            read.push(Tag { key: self.parse::<TagKey>(key, name)?, value: self.parse::<TagValue>(key, value)? });
        }
        Ok(read)
    }

    /// Reads a list of callers, each with the reason why it may be admitted.
    fn accepted(&self, key: &str) -> Result<Vec<Accepted>> {
        const EXAMPLE: &str = r#"accept = [{ who = "account 999999999999", reason = "…" }]"#;
        let Some(item) = self.table.get(key) else {
            return Ok(Vec::new());
        };
        let wrong = |problem: String| self.error(key, problem).hint(format!("for example: {EXAMPLE}"));
        let wrong_list = || wrong(format!("`{key}` must be a list of tables with `who` and `reason`"));
        // Both `accept = [{ … }]` and `[[targets.NAME.accept]]`.
        let entries: Vec<&dyn TableLike> = match (item.as_array(), item.as_array_of_tables()) {
            (Some(list), _) => {
                let tables = list.iter().map(|entry| entry.as_inline_table().map(|table| table as &dyn TableLike));
                tables.collect::<Option<_>>().ok_or_else(wrong_list)?
            }
            (None, Some(tables)) => tables.iter().map(|table| table as &dyn TableLike).collect(),
            (None, None) => return Err(wrong_list()),
        };
        let mut read: Vec<Accepted> = Vec::new();
        for entry in entries {
            if let Some((unknown, _)) = entry.iter().find(|(name, _)| !["who", "reason"].contains(name)) {
                return Err(wrong(format!("unknown setting `{}` in `{key}`", shown(unknown))));
            }
            let text = |name: &str| match entry.get(name).map(Item::as_str) {
                Some(Some(text)) if !text.trim().is_empty() => {
                    self.check_visible(key, &format!("`{name}` in `{key}`"), text)?;
                    Ok(text.to_owned())
                }
                Some(Some(_)) => Err(wrong(format!("`{name}` in `{key}` is empty"))),
                Some(None) => Err(wrong(format!("`{name}` in `{key}` must be a string"))),
                None => Err(wrong(format!("an entry of `{key}` has no `{name}`"))),
            };
            let (who, reason) = (text("who")?, text("reason")?);
            self.parse::<Who>(key, &who)?;
            if read.iter().any(|known| known.who == who) {
                return Err(self
                    .error(key, format!("`{key}` has `{}` twice", shown(&who)))
                    .hint("keep one of the entries"));
            }
            read.push(Accepted { who, reason });
        }
        Ok(read)
    }

    fn one_of<T: Copy>(&self, key: &str, choices: &[(&str, T)]) -> Result<Option<T>> {
        let Some(text) = self.string(key)? else { return Ok(None) };
        match choices.iter().find(|(name, _)| *name == text) {
            Some((_, value)) => Ok(Some(*value)),
            None => {
                let mut names: Vec<_> = choices.iter().map(|(name, _)| format!("`{name}`")).collect();
                let last = names.pop().unwrap_or_default();
                let names = if names.is_empty() { last } else { format!("{} or {last}", names.join(", ")) };
                Err(self
                    .error(key, format!("`{}` is not a valid value of `{key}`", shown(&text)))
                    .hint(format!("use {names}")))
            }
        }
    }

    /// Refuses two targets with the same role: each would undo the other's changes.
    fn no_twins(&self, targets: &[(String, Recorded)]) -> Result<()> {
        let mut seen = BTreeMap::new();
        for (name, target) in targets {
            // IAM's names are unique case-insensitively.
            let role = target.role.as_ref().map_or(DEFAULT_ROLE_NAME, RoleName::as_str);
            let other = target.other_role.as_ref().map(|other| other.arn().name.as_str());
            for role in [Some(role), other].into_iter().flatten() {
                let role = (target.account.clone(), role.to_ascii_lowercase());
                let Some(first) = seen.insert(role, name) else { continue };
                if first == name {
                    return Err(self
                        .error(name, format!("[targets.{}] is moved to a role of the same name", shown(name)))
                        .hint("set `role` to the name of the other role, or remove `moving_to` and `moved_from`"));
                }
                return Err(self
                    .error(
                        name,
                        format!(
                            "[targets.{}] and [targets.{}] have the same role in account {}",
                            shown(first),
                            shown(name),
                            target.account
                        ),
                    )
                    .hint("remove one of them, or set a different `role` in one"));
            }
        }
        Ok(())
    }
}

/// Returns an example value of a setting.
fn example(key: &str) -> &'static str {
    match key {
        "account" => "\"222222222222\"",
        "max_session_duration" => "\"1h\"",
        "region" => "\"eu-west-1\"",
        _ => "\"…\"",
    }
}

fn with_article(type_name: &str) -> String {
    let article = if type_name.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {type_name}")
}

fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// Returns the edit distance of two words (Levenshtein), for "did you mean".
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, y) in row.iter_mut().skip(1).zip(&b) {
            let cost = (*cell + 1).min(left + 1).min(diagonal + usize::from(x != *y));
            diagonal = std::mem::replace(cell, cost);
            left = cost;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

mod local;
#[cfg(test)]
mod tests;
