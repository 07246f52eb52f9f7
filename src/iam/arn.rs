//! ARNs of the things that a link is made of, and the shorter forms that a person may type for them.
//!
//! An ARN is read into its parts, each valid by its type, and written from them: no ARN is ever put together by hand.

use std::fmt;
use std::str::FromStr;

use super::names::{AccountId, IamPath, Invalid, PolicyName, RoleName, UserName, serde_as_text, shown};

/// One of AWS's separate clouds. A role can be assumed only from within its own partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Partition {
    /// The commercial regions.
    Aws,
    /// China.
    AwsCn,
    /// AWS GovCloud (US).
    AwsUsGov,
    /// AWS European Sovereign Cloud.
    AwsEusc,
    /// AWS ISO (US).
    AwsIso,
    /// AWS ISOB (US).
    AwsIsoB,
    /// AWS ISOE (Europe).
    AwsIsoE,
    /// AWS ISOF.
    AwsIsoF,
}

/// What is fixed about a partition: its name, what the names of its regions begin with (up to the last but one dash), the
/// region that IAM is signed for, and the DNS suffix.
type PartitionFacts = (&'static str, &'static [&'static str], &'static str, &'static str);

impl Partition {
    /// All eight.
    pub const ALL: [Self; 8] = [
        Self::Aws,
        Self::AwsCn,
        Self::AwsUsGov,
        Self::AwsEusc,
        Self::AwsIso,
        Self::AwsIsoB,
        Self::AwsIsoE,
        Self::AwsIsoF,
    ];

    fn facts(self) -> PartitionFacts {
        const COMMERCIAL: &[&str] = &["us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx"];
        match self {
            Self::Aws => ("aws", COMMERCIAL, "us-east-1", "amazonaws.com"),
            Self::AwsCn => ("aws-cn", &["cn"], "cn-north-1", "amazonaws.com.cn"),
            Self::AwsUsGov => ("aws-us-gov", &["us-gov"], "us-gov-west-1", "amazonaws.com"),
            Self::AwsEusc => ("aws-eusc", &["eusc-de"], "eusc-de-east-1", "amazonaws.eu"),
            Self::AwsIso => ("aws-iso", &["us-iso"], "us-iso-east-1", "c2s.ic.gov"),
            Self::AwsIsoB => ("aws-iso-b", &["us-isob"], "us-isob-east-1", "sc2s.sgov.gov"),
            Self::AwsIsoE => ("aws-iso-e", &["eu-isoe"], "eu-isoe-west-1", "cloud.adc-e.uk"),
            Self::AwsIsoF => ("aws-iso-f", &["us-isof"], "us-isof-south-1", "csp.hci.ic.gov"),
        }
    }

    /// The second field of an ARN: `aws`, `aws-cn`, …
    pub fn as_str(self) -> &'static str {
        self.facts().0
    }

    /// The region that IAM requests of the partition are signed for.
    pub fn default_region(self) -> &'static str {
        self.facts().2
    }

    /// What the host names of its endpoints end with, without a dot at the beginning: `amazonaws.com`.
    pub fn dns_suffix(self) -> &'static str {
        self.facts().3
    }

    /// The partition whose regions have names of this form (`PREFIX-AREA-NUMBER`), also if the region is newer than this
    /// program.
    pub fn of_region(region: &str) -> Option<Self> {
        let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
        let (prefix_and_area, number) = region.rsplit_once('-')?;
        let (prefix, area) = prefix_and_area.rsplit_once('-')?;
        let is_area = !area.is_empty() && area.chars().all(is_word);
        let is_number = !number.is_empty() && number.chars().all(|character| character.is_ascii_digit());
        let of_prefix = |partition: &Self| partition.facts().1.contains(&prefix);
        Self::ALL.into_iter().find(of_prefix).filter(|_| is_area && is_number)
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl FromStr for Partition {
    type Err = Invalid;

    fn from_str(value: &str) -> Result<Self, Invalid> {
        let named = |partition: &Self| partition.as_str() == value;
        Self::ALL.into_iter().find(named).ok_or_else(|| {
            let rule = format!("is not one of {}", Self::ALL.map(Self::as_str).join(", "));
            Invalid::new("partition", value, rule, "give the account's partition, mostly `aws`")
        })
    }
}

serde_as_text!(Partition);

/// The five fields of an ARN after `arn:`, not yet checked: partition, service, region, account, resource.
fn fields(arn: &str) -> Option<[&str; 5]> {
    let mut fields = arn.strip_prefix("arn:")?.splitn(5, ':');
    let mut next = || fields.next();
    Some([next()?, next()?, next()?, next()?, next()?])
}

/// The partition, owner, path and name of an ARN of IAM. Owner and name, whose rules depend on the type, are not yet
/// checked.
type IamParts<'a> = (Partition, &'a str, IamPath, &'a str);

/// Divides `arn`, which is to be a `what`, a resource of the type `kind`; an error says what it is instead.
fn iam_parts<'a>(what: &'static str, kind: &str, arn: &'a str) -> Result<IamParts<'a>, Invalid> {
    let refuse = |rule: String, fix: String| Err(Invalid::new(what, arn, rule, fix));
    let example = format!("arn:aws:iam::111111111111:{kind}/NAME");
    let give_example = format!("give an ARN such as `{example}`");

    let Some([partition, service, region, owner, resource]) = fields(arn) else {
        let is_padded = fields(arn.trim()).is_some();
        let fix = if is_padded { "remove the whitespace around it".to_owned() } else { give_example };
        let rule = format!("does not have the form `arn:PARTITION:iam::ACCOUNT:{kind}/NAME`");
        return refuse(rule, fix);
    };
    let partition = part(what, arn, partition)?;
    if service != "iam" {
        let rule = format!("names a resource of the service `{}`, not `iam`", shown(service));
        let fix = if kind == "role" { role_of_session(arn) } else { None };
        return refuse(rule, fix.unwrap_or(give_example));
    }
    if !region.is_empty() {
        let rule = format!("names the region `{}`, but IAM has no regions", shown(region));
        return refuse(rule, format!("leave the region empty, as in `{example}`"));
    }
    let slash = resource.find('/').unwrap_or(resource.len());
    let (found, path_and_name) = resource.split_at(slash);
    if found == "root" && kind == "user" {
        let fix = "give an IAM user, because the root user cannot assume roles";
        return refuse("names the root user".to_owned(), fix.to_owned());
    }
    if found != kind {
        return refuse(format!("names `{}`, not a {kind}", shown(resource)), give_example);
    }
    let Some((path, name)) = path_and_name.rsplit_once('/') else {
        return refuse(format!("does not name a {kind}"), give_example);
    };
    Ok((partition, owner, part(what, arn, &format!("{path}/"))?, name))
}

/// The fix, where the ARN of a role's session was given for the ARN of the role.
fn role_of_session(arn: &str) -> Option<String> {
    let caller = CallerArn::parse(arn);
    let (account, partition) = caller.account_and_partition()?;
    let CallerArn::AssumedRole { role, .. } = &caller else {
        return None;
    };
    let role = RoleArn::new(partition, account.clone(), IamPath::root(), role.clone());
    let fix = format!("give the role, not a session of it: `{role}` (with the role's path, if it has one)");
    Some(fix)
}

/// Parses one part of `whole`, which is to be a `what`; an error names the part and the whole.
fn part<T: FromStr<Err = Invalid>>(what: &'static str, whole: &str, part: &str) -> Result<T, Invalid> {
    part.parse().map_err(|error: Invalid| {
        let rule = format!("its {} `{}` {}", error.what, shown(&error.value), error.rule);
        Invalid::new(what, whole, rule, error.fix)
    })
}

/// An ARN of IAM: `arn:PARTITION:iam::OWNER:KIND/PATH/NAME`.
macro_rules! iam_arn {
    (
        $(#[$doc:meta])* $type:ident, $what:literal, $kind:literal,
        $(#[$owner_doc:meta])* $owner:ident: $owner_type:ty, $name:ty
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type {
            /// The partition that it belongs to.
            pub partition: Partition,
            $(#[$owner_doc])*
            pub $owner: $owner_type,
            /// Where it is filed; `/` for most.
            pub path: IamPath,
            /// Its name.
            pub name: $name,
        }

        impl $type {
            /// The ARN with these parts.
            pub fn new(partition: Partition, $owner: $owner_type, path: IamPath, name: $name) -> Self {
                Self { partition, $owner, path, name }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                let Self { partition, $owner, path, name } = self;
                write!(formatter, concat!("arn:{}:iam::{}:", $kind, "{}{}"), partition, $owner, path, name)
            }
        }

        impl FromStr for $type {
            type Err = Invalid;

            fn from_str(arn: &str) -> Result<Self, Invalid> {
                let (partition, owner, path, name) = iam_parts($what, $kind, arn)?;
                Ok(Self { partition, $owner: part($what, arn, owner)?, path, name: part($what, arn, name)? })
            }
        }

        serde_as_text!($type);
    };
}

iam_arn! {
    /// The ARN of a role: `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME` (AWS IAM User Guide, IAM identifiers).
    RoleArn, "role ARN", "role",
    /// The account that owns the role.
    account: AccountId, RoleName
}

impl RoleArn {
    /// The ARN that the role would have at the root path: by this one IAM judges reads of a role that does not exist.
    #[must_use]
    pub fn without_path(&self) -> Self {
        Self { path: IamPath::root(), ..self.clone() }
    }
}

iam_arn! {
    /// The ARN of a user: `arn:PARTITION:iam::ACCOUNT:user/PATH/NAME` (AWS IAM User Guide, IAM identifiers).
    UserArn, "user ARN", "user",
    /// The account that owns the user.
    account: AccountId, UserName
}

iam_arn! {
    /// The ARN of a managed policy: `arn:PARTITION:iam::OWNER:policy/PATH/NAME` (AWS IAM User Guide, IAM identifiers).
    PolicyArn, "policy ARN", "policy",
    /// AWS or an account.
    owner: PolicyOwner, PolicyName
}

/// Who owns a managed policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyOwner {
    /// AWS: the account field of the ARN is `aws`, in every partition.
    Aws,
    /// An account.
    Account(AccountId),
}

impl fmt::Display for PolicyOwner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Aws => formatter.pad("aws"),
            Self::Account(account) => account.fmt(formatter),
        }
    }
}

impl FromStr for PolicyOwner {
    type Err = Invalid;

    fn from_str(value: &str) -> Result<Self, Invalid> {
        match value {
            "aws" => Ok(Self::Aws),
            account => account.parse().map(Self::Account),
        }
    }
}

/// Who is calling, as `GetCallerIdentity` says (AWS STS API reference). `Display` gives the original ARN.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallerArn {
    /// The root user of an account, who cannot assume roles.
    Root {
        /// The partition of the account.
        partition: Partition,
        /// The account.
        account: AccountId,
    },
    /// An IAM user.
    User(UserArn),
    /// A session of a role. Its ARN does not tell the role's path.
    AssumedRole {
        /// The partition of the account.
        partition: Partition,
        /// The account that owns the role.
        account: AccountId,
        /// The role's name.
        role: RoleName,
        /// The session's name.
        session: String,
    },
    /// A session from `GetFederationToken`, which cannot assume roles.
    FederatedUser {
        /// The partition of the account.
        partition: Partition,
        /// The account.
        account: AccountId,
        /// The federated user's name.
        name: String,
    },
    /// Anything else, as it came.
    Other(String),
}

impl CallerArn {
    /// Reads any text; what it does not know is [`CallerArn::Other`].
    pub fn parse(arn: &str) -> Self {
        Self::recognise(arn).unwrap_or_else(|| Self::Other(arn.to_owned()))
    }

    fn recognise(arn: &str) -> Option<Self> {
        if let Ok(user) = arn.parse() {
            return Some(Self::User(user));
        }
        let [partition, service, "", account, resource] = fields(arn)? else {
            return None;
        };
        let (partition, account) = (partition.parse().ok()?, account.parse().ok()?);
        match (service, resource.split_once('/')) {
            ("iam", None) if resource == "root" => Some(Self::Root { partition, account }),
            ("sts", Some(("assumed-role", role_and_session))) => {
                let (role, session) = role_and_session.split_once('/').filter(|(_, session)| !session.is_empty())?;
                Some(Self::AssumedRole { partition, account, role: role.parse().ok()?, session: session.to_owned() })
            }
            ("sts", Some(("federated-user", name))) if !name.is_empty() => {
                Some(Self::FederatedUser { partition, account, name: name.to_owned() })
            }
            _ => None,
        }
    }

    fn account_and_partition(&self) -> Option<(&AccountId, Partition)> {
        match self {
            Self::User(user) => Some((&user.account, user.partition)),
            Self::Root { account, partition }
            | Self::AssumedRole { account, partition, .. }
            | Self::FederatedUser { account, partition, .. } => Some((account, *partition)),
            Self::Other(_) => None,
        }
    }

    /// The account that the caller belongs to.
    pub fn account(&self) -> Option<&AccountId> {
        self.account_and_partition().map(|(account, _)| account)
    }

    /// The partition that the caller works in.
    pub fn partition(&self) -> Option<Partition> {
        self.account_and_partition().map(|(_, partition)| partition)
    }

    /// The user, if the caller is one.
    pub fn user(&self) -> Option<&UserArn> {
        match self {
            Self::User(user) => Some(user),
            _ => None,
        }
    }
}

impl fmt::Display for CallerArn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root { partition, account } => write!(formatter, "arn:{partition}:iam::{account}:root"),
            Self::User(user) => user.fmt(formatter),
            Self::AssumedRole { partition, account, role, session } => {
                write!(formatter, "arn:{partition}:sts::{account}:assumed-role/{role}/{session}")
            }
            Self::FederatedUser { partition, account, name } => {
                write!(formatter, "arn:{partition}:sts::{account}:federated-user/{name}")
            }
            Self::Other(arn) => formatter.write_str(arn),
        }
    }
}

impl serde::Serialize for CallerArn {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for CallerArn {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|arn| Self::parse(&arn))
    }
}

/// A managed policy as typed: the ARN of any, or the bare name of one of AWS's own (`PowerUserAccess`), which holds in
/// every partition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ManagedPolicy {
    /// The ARN of a policy.
    Arn(PolicyArn),
    /// A policy of AWS's own, in whichever partition it is needed.
    AwsManaged {
        /// Where AWS filed it: `/`, `/job-function/`, …
        path: IamPath,
        /// Its name.
        name: PolicyName,
    },
}

/// The policies of AWS's own that are filed under `/job-function/`; typed without it, they would not be found.
const JOB_FUNCTIONS: [&str; 7] = [
    "Billing",
    "DatabaseAdministrator",
    "DataScientist",
    "NetworkAdministrator",
    "SupportUser",
    "SystemAdministrator",
    "ViewOnlyAccess",
];

impl ManagedPolicy {
    /// The ARN of the policy; `partition` counts only for a bare name.
    pub fn resolve(&self, partition: Partition) -> PolicyArn {
        match self {
            Self::Arn(arn) => arn.clone(),
            Self::AwsManaged { path, name } => PolicyArn::new(partition, PolicyOwner::Aws, path.clone(), name.clone()),
        }
    }
}

impl fmt::Display for ManagedPolicy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arn(arn) => arn.fmt(formatter),
            Self::AwsManaged { path, name } => {
                write!(formatter, "{}{name}", path.as_str().strip_prefix('/').unwrap_or_default())
            }
        }
    }
}

impl FromStr for ManagedPolicy {
    type Err = Invalid;

    fn from_str(value: &str) -> Result<Self, Invalid> {
        if value.starts_with("arn:") {
            return value.parse().map(Self::Arn);
        }
        let (path, name) = match value.rsplit_once('/') {
            Some((path, name)) => (format!("/{path}/"), name),
            None if JOB_FUNCTIONS.contains(&value) => ("/job-function/".to_owned(), value),
            None => ("/".to_owned(), value),
        };
        let fix = "give the policy's ARN, or the name of an AWS managed policy such as `PowerUserAccess`";
        let with_fix = |error: Invalid| error.with_fix(Some(fix.to_owned()));
        let path = part("managed policy", value, &path).map_err(with_fix)?;
        let name = part("managed policy", value, name).map_err(with_fix)?;
        Ok(Self::AwsManaged { path, name })
    }
}

serde_as_text!(ManagedPolicy);

/// A user as typed: a name, or an ARN that tells the account too.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UserRef {
    /// A name, in whichever account is the source.
    Name(UserName),
    /// The ARN of a user.
    Arn(UserArn),
}

impl UserRef {
    /// The user's name.
    pub fn name(&self) -> &UserName {
        match self {
            Self::Name(name) => name,
            Self::Arn(arn) => &arn.name,
        }
    }

    /// The user's account, if an ARN was typed.
    pub fn account(&self) -> Option<&AccountId> {
        match self {
            Self::Name(_) => None,
            Self::Arn(arn) => Some(&arn.account),
        }
    }
}

impl fmt::Display for UserRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(formatter),
            Self::Arn(arn) => arn.fmt(formatter),
        }
    }
}

impl FromStr for UserRef {
    type Err = Invalid;

    fn from_str(value: &str) -> Result<Self, Invalid> {
        if value.starts_with("arn:") { value.parse().map(Self::Arn) } else { value.parse().map(Self::Name) }
    }
}

serde_as_text!(UserRef);

#[cfg(test)]
mod tests;
