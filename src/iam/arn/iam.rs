//! ARNs of IAM roles, users and managed policies.

use std::fmt;
use std::str::FromStr;

use crate::iam::invalid::{Invalid, serde_as_text, shown};
use crate::iam::names::{AccountId, GroupName, IamPath, PolicyName, RoleName, UserName};
use crate::iam::partition::Partition;

/// Returns the five unchecked fields of an ARN after `arn:`: partition, service, Region, account, resource.
pub(super) fn fields(arn: &str) -> Option<[&str; 5]> {
    let mut fields = arn.strip_prefix("arn:")?.splitn(5, ':');
    let mut next = || fields.next();
    Some([next()?, next()?, next()?, next()?, next()?])
}

/// The partition, owner, path and name of an IAM ARN. Owner and name are unchecked, because their rules depend on the
/// type.
type IamParts<'a> = (Partition, &'a str, IamPath, &'a str);

/// Splits `arn`, which should be a `what` with resource type `kind`; the error says what it is instead.
fn iam_parts<'a>(what: &'static str, kind: &str, arn: &'a str) -> Result<IamParts<'a>, Invalid> {
    let refuse = |rule: String, fix: String| Err(Invalid::new(what, arn, rule, fix));
    let example = format!("arn:aws:iam::111111111111:{kind}/NAME");
    let use_example = format!("use an ARN such as `{example}`");

    let Some([partition, service, region, owner, resource]) = fields(arn) else {
        let is_padded = fields(arn.trim()).is_some();
        let fix = if is_padded { "remove the whitespace around it".to_owned() } else { use_example };
        let rule = format!("does not have the form `arn:PARTITION:iam::ACCOUNT:{kind}/NAME`");
        return refuse(rule, fix);
    };
    let partition = part(what, arn, partition)?;
    if service != "iam" {
        let rule = format!("names a resource of service `{}`, not `iam`", shown(service));
        let fix = if kind == "role" { role_of_session(arn) } else { None };
        return refuse(rule, fix.unwrap_or(use_example));
    }
    if !region.is_empty() {
        let rule = format!("names Region `{}`, but IAM ARNs have no Region", shown(region));
        return refuse(rule, format!("leave the Region empty, as in `{example}`"));
    }
    let slash = resource.find('/').unwrap_or(resource.len());
    let (found, path_and_name) = resource.split_at(slash);
    if found == "root" && kind == "user" {
        let fix = "use an IAM user, because the root user cannot assume roles";
        return refuse("names the root user".to_owned(), fix.to_owned());
    }
    if found != kind {
        return refuse(format!("names `{}`, not a {kind}", shown(resource)), use_example);
    }
    let Some((path, name)) = path_and_name.rsplit_once('/') else {
        return refuse(format!("does not name a {kind}"), use_example);
    };
    Ok((partition, owner, part(what, arn, &format!("{path}/"))?, name))
}

/// Returns the fix for a role session's ARN in place of the role's ARN.
fn role_of_session(arn: &str) -> Option<String> {
    let (partition, account, role, _) = assumed_role(arn)?;
    let role = RoleArn::new(partition, account, IamPath::root(), role);
    let fix = format!("use the role's ARN, not a session's: `{role}` (add the role's path, if it has one)");
    Some(fix)
}

/// Returns the partition, account, role and session name of a role session:
/// `arn:PARTITION:sts::ACCOUNT:assumed-role/ROLE/SESSION`.
pub(super) fn assumed_role(arn: &str) -> Option<(Partition, AccountId, RoleName, &str)> {
    let [partition, "sts", "", account, resource] = fields(arn)? else { return None };
    let (role, session) = resource.strip_prefix("assumed-role/")?.split_once('/')?;
    let is_named = !session.is_empty();
    is_named.then_some((partition.parse().ok()?, account.parse().ok()?, role.parse().ok()?, session))
}

/// Parses one part of `whole`, which should be a `what`; the error names the part and the whole.
pub(super) fn part<T: FromStr<Err = Invalid>>(what: &'static str, whole: &str, part: &str) -> Result<T, Invalid> {
    part.parse().map_err(|error: Invalid| {
        let rule = format!("its {} `{}` {}", error.what, shown(&error.value), error.rule);
        Invalid::new(what, whole, rule, error.fix)
    })
}

/// Defines an IAM ARN: `arn:PARTITION:iam::OWNER:KIND/PATH/NAME`.
macro_rules! iam_arn {
    (
        $(#[$doc:meta])* $type:ident, $what:literal, $kind:literal,
        $(#[$owner_doc:meta])* $owner:ident: $owner_type:ty, $name:ty
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type {
            /// The partition, `aws` in most accounts.
            pub partition: Partition,
            $(#[$owner_doc])*
            pub $owner: $owner_type,
            /// The path, usually `/`.
            pub path: IamPath,
            /// The name, the last part after the path.
            pub name: $name,
        }

        impl $type {
            /// Returns the ARN with these parts.
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

/// The roles of one path and name in every account, by the pattern of their ARNs: `arn:PARTITION:iam::*:role/PATH/NAME`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RolePattern {
    /// The partition.
    pub partition: Partition,
    /// The path, usually `/`.
    pub path: IamPath,
    /// The name.
    pub name: RoleName,
}

impl RolePattern {
    /// Returns whether it matches this role.
    #[must_use]
    pub fn covers(&self, role: &RoleArn) -> bool {
        *self == Self::from(role)
    }
}

impl From<&RoleArn> for RolePattern {
    fn from(role: &RoleArn) -> Self {
        Self { partition: role.partition, path: role.path.clone(), name: role.name.clone() }
    }
}

impl fmt::Display for RolePattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, path, name } = self;
        write!(formatter, "arn:{partition}:iam::*:role{path}{name}")
    }
}

impl FromStr for RolePattern {
    type Err = Invalid;

    fn from_str(arn: &str) -> Result<Self, Invalid> {
        let (partition, owner, path, name) = iam_parts("role pattern", "role", arn)?;
        if owner != "*" || path.as_str().contains(['*', '?', '$']) {
            let rule = "is not the pattern of a role in every account".to_owned();
            return Err(Invalid::new("role pattern", arn, rule, "use `arn:aws:iam::*:role/PATH/NAME`".to_owned()));
        }
        Ok(Self { partition, path, name: part("role pattern", arn, name)? })
    }
}

impl RoleArn {
    /// Returns the ARN of the role with path `/`. IAM uses it to evaluate reads of a role that does not exist.
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
    /// The ARN of a group: `arn:PARTITION:iam::ACCOUNT:group/PATH/NAME` (AWS IAM User Guide, IAM identifiers).
    GroupArn, "group ARN", "group",
    /// The account that owns the group.
    account: AccountId, GroupName
}

iam_arn! {
    /// The ARN of a managed policy: `arn:PARTITION:iam::OWNER:policy/PATH/NAME` (AWS IAM User Guide, IAM identifiers).
    PolicyArn, "policy ARN", "policy",
    /// AWS or an account.
    owner: PolicyOwner, PolicyName
}

/// The owner of a managed policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyOwner {
    /// AWS: the account field of the ARN is `aws`, in every partition.
    Aws,
    /// The account of a customer managed policy.
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
