//! A principal that may be given a link, as an ARN and as typed.

use std::fmt;
use std::str::FromStr;

use super::caller::CallerArn;
use super::iam::{GroupArn, RoleArn, UserArn};
use super::permission_set::{PermissionSetRoles, set_of_role};
use super::typed::UserRef;
use crate::iam::invalid::{Invalid, serde_as_text};
use crate::iam::names::{AccountId, GroupName, IamPath, PermissionSetName, RoleName, UserName};
use crate::iam::partition::Partition;

/// A principal of the source account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PrincipalArn {
    /// An IAM user.
    User(UserArn),
    /// An IAM group, whose members assume the roles of targets.
    Group(GroupArn),
    /// An IAM role, whose sessions assume the roles of targets.
    Role(RoleArn),
    /// A permission set of IAM Identity Center, whose roles in the account assume the roles of targets.
    PermissionSet(PermissionSetRoles),
}

impl PrincipalArn {
    /// Returns the kind: user, group, role, permission set.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Group(_) => "group",
            Self::Role(_) => "role",
            Self::PermissionSet(_) => "permission set",
        }
    }

    /// Returns the account.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        match self {
            Self::User(user) => &user.account,
            Self::Group(group) => &group.account,
            Self::Role(role) => &role.account,
            Self::PermissionSet(set) => &set.account,
        }
    }

    /// Returns the partition.
    #[must_use]
    pub fn partition(&self) -> Partition {
        match self {
            Self::User(user) => user.partition,
            Self::Group(group) => group.partition,
            Self::Role(role) => role.partition,
            Self::PermissionSet(set) => set.partition,
        }
    }

    /// Returns the name without path.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::User(user) => user.name.as_str(),
            Self::Group(group) => group.name.as_str(),
            Self::Role(role) => role.name.as_str(),
            Self::PermissionSet(set) => set.name.as_str(),
        }
    }

    /// Returns the user, if it is one.
    #[must_use]
    pub fn user(&self) -> Option<&UserArn> {
        match self {
            Self::User(user) => Some(user),
            Self::Group(_) | Self::Role(_) | Self::PermissionSet(_) => None,
        }
    }

    /// Returns the principal as typed: without account, and with a role's path.
    #[must_use]
    pub fn reference(&self) -> PrincipalRef {
        match self {
            Self::User(user) => PrincipalRef::User(UserRef::Name(user.name.clone())),
            Self::Group(group) => PrincipalRef::Group(GroupRef::Name(group.name.clone())),
            Self::Role(role) => PrincipalRef::Role(RoleRef::Name { path: role.path.clone(), name: role.name.clone() }),
            Self::PermissionSet(set) => PrincipalRef::PermissionSet(set.name.clone()),
        }
    }

    /// Returns kind and name for a sentence: user `alice`.
    #[must_use]
    pub fn in_words(&self) -> String {
        self.reference().in_words()
    }

    /// Returns whether the caller is this principal or a session of it, or may be a member of it: only IAM knows who is in a
    /// group. A session's ARN does not tell the role's path.
    #[must_use]
    pub fn is(&self, caller: &CallerArn) -> bool {
        match self {
            Self::User(user) => caller.user() == Some(user),
            Self::Group(group) => caller.user().is_some_and(|user| user.account == group.account),
            Self::Role(role) => caller.is_of(role),
            Self::PermissionSet(set) => {
                caller.account() == Some(&set.account) && caller.permission_set() == Some(set.name.clone())
            }
        }
    }
}

impl From<UserArn> for PrincipalArn {
    fn from(user: UserArn) -> Self {
        Self::User(user)
    }
}

impl fmt::Display for PrincipalArn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => user.fmt(formatter),
            Self::Group(group) => group.fmt(formatter),
            Self::Role(role) => role.fmt(formatter),
            Self::PermissionSet(set) => set.fmt(formatter),
        }
    }
}

impl FromStr for PrincipalArn {
    type Err = Invalid;

    fn from_str(value: &str) -> Result<Self, Invalid> {
        match value.splitn(6, ':').nth(5).and_then(|resource| resource.split('/').next()) {
            Some("role") => value.parse().map(Self::Role),
            Some("group") => value.parse().map(Self::Group),
            _ => value.parse().map(Self::User),
        }
    }
}

/// A role as typed: its path and name, or an ARN.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoleRef {
    /// A path and a name in the source account.
    Name {
        /// The path, usually `/`.
        path: IamPath,
        /// The name.
        name: RoleName,
    },
    /// An ARN.
    Arn(RoleArn),
}

/// A group as typed: its name, or an ARN.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GroupRef {
    /// A name in the source account.
    Name(GroupName),
    /// An ARN.
    Arn(GroupArn),
}

/// A principal as typed: `user/alice`, `group/deployers`, `role/ci/terraform`, or an ARN.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PrincipalRef {
    /// An IAM user.
    User(UserRef),
    /// An IAM group.
    Group(GroupRef),
    /// An IAM role.
    Role(RoleRef),
    /// A permission set of IAM Identity Center.
    PermissionSet(PermissionSetName),
}

impl PrincipalRef {
    /// Returns the name without account and path.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::User(user) => user.name().as_str(),
            Self::Group(GroupRef::Name(name) | GroupRef::Arn(GroupArn { name, .. })) => name.as_str(),
            Self::Role(RoleRef::Name { name, .. } | RoleRef::Arn(RoleArn { name, .. })) => name.as_str(),
            Self::PermissionSet(name) => name.as_str(),
        }
    }

    /// Returns whether both are the same principal of one account, whatever their paths are: names are unique (IAM API
    /// reference, CreateUser, CreateRole).
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.kind() == other.kind() && self.name().eq_ignore_ascii_case(other.name())
    }

    /// Returns the account, if an ARN was typed.
    #[must_use]
    pub fn account(&self) -> Option<&AccountId> {
        match self {
            Self::User(user) => user.account(),
            Self::Group(GroupRef::Arn(group)) => Some(&group.account),
            Self::Role(RoleRef::Arn(role)) => Some(&role.account),
            Self::Group(GroupRef::Name(_)) | Self::Role(RoleRef::Name { .. }) | Self::PermissionSet(_) => None,
        }
    }

    /// Returns the partition, if an ARN was typed.
    #[must_use]
    pub fn partition(&self) -> Option<Partition> {
        match self {
            Self::User(UserRef::Arn(user)) => Some(user.partition),
            Self::Group(GroupRef::Arn(group)) => Some(group.partition),
            Self::Role(RoleRef::Arn(role)) => Some(role.partition),
            _ => None,
        }
    }

    /// Returns the kind: user, group, role, permission set.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Group(_) => "group",
            Self::Role(_) => "role",
            Self::PermissionSet(_) => "permission set",
        }
    }

    /// Returns whether it acts with sessions of a role, which never have MFA, and open sessions of at most an hour.
    #[must_use]
    pub fn acts_as_role(&self) -> bool {
        matches!(self, Self::Role(_) | Self::PermissionSet(_))
    }

    /// Returns the kind with its article: the user.
    #[must_use]
    pub fn kind_in_words(&self) -> &'static str {
        match self {
            Self::User(_) => "the user",
            Self::Group(_) => "the group",
            Self::Role(_) => "the calling role",
            Self::PermissionSet(_) => "the permission set",
        }
    }

    /// Returns the user, if it is one.
    #[must_use]
    pub fn user(&self) -> Option<&UserRef> {
        match self {
            Self::User(user) => Some(user),
            Self::Group(_) | Self::Role(_) | Self::PermissionSet(_) => None,
        }
    }

    /// Returns the user's name, if it is a user.
    #[must_use]
    pub fn user_name(&self) -> Option<&UserName> {
        self.user().map(UserRef::name)
    }

    /// Returns the same without an account.
    #[must_use]
    pub fn without_account(&self) -> Self {
        match self {
            Self::User(user) => Self::User(UserRef::Name(user.name().clone())),
            Self::Group(GroupRef::Arn(group)) => Self::Group(GroupRef::Name(group.name.clone())),
            Self::Group(group) => Self::Group(group.clone()),
            Self::Role(RoleRef::Arn(role)) => {
                Self::Role(RoleRef::Name { path: role.path.clone(), name: role.name.clone() })
            }
            Self::Role(role) => Self::Role(role.clone()),
            Self::PermissionSet(name) => Self::PermissionSet(name.clone()),
        }
    }

    /// Returns kind and name for a sentence: user `alice`, role `ci/terraform`.
    #[must_use]
    pub fn in_words(&self) -> String {
        let short = self.without_account().to_string();
        let (kind, name) = short.split_once('/').unwrap_or(("principal", &short));
        format!("{} `{name}`", kind.replace('-', " "))
    }

    /// Returns whose the credentials for it are: a group has none of its own.
    #[must_use]
    pub fn owner_in_words(&self) -> String {
        match self {
            Self::Group(_) => format!("a member of {}", self.in_words()),
            _ => self.in_words(),
        }
    }

    /// Returns how a table names it: a user by name, others with their kind.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::User(user) => user.name().to_string(),
            Self::Group(_) | Self::Role(_) | Self::PermissionSet(_) => self.without_account().to_string(),
        }
    }

    /// Returns whether only AWS knows the path.
    #[must_use]
    pub fn lacks_path(&self) -> bool {
        matches!(self, Self::User(UserRef::Name(_)) | Self::Group(GroupRef::Name(_)))
    }

    /// Returns the ARN in this account; with the path `/` if only AWS knows the path.
    #[must_use]
    pub fn at_root(&self, partition: Partition, account: &AccountId) -> PrincipalArn {
        match self {
            Self::User(UserRef::Arn(user)) => PrincipalArn::User(user.clone()),
            Self::User(UserRef::Name(name)) => {
                PrincipalArn::User(UserArn::new(partition, account.clone(), IamPath::root(), name.clone()))
            }
            Self::Group(GroupRef::Arn(group)) => PrincipalArn::Group(group.clone()),
            Self::Group(GroupRef::Name(name)) => {
                PrincipalArn::Group(GroupArn::new(partition, account.clone(), IamPath::root(), name.clone()))
            }
            Self::Role(RoleRef::Arn(role)) => PrincipalArn::Role(role.clone()),
            Self::Role(RoleRef::Name { path, name }) => {
                PrincipalArn::Role(RoleArn::new(partition, account.clone(), path.clone(), name.clone()))
            }
            Self::PermissionSet(name) => {
                let (account, name) = (account.clone(), name.clone());
                PrincipalArn::PermissionSet(PermissionSetRoles { partition, account, name })
            }
        }
    }

    /// Returns whether this ARN is that of the principal in its account. The path counts only if it was typed: names are
    /// unique whatever their path (IAM API reference, CreateUser, CreateRole).
    #[must_use]
    pub fn is_named_by(&self, arn: &str, account: &AccountId) -> bool {
        match self {
            Self::User(UserRef::Name(name)) => {
                arn.parse::<UserArn>().is_ok_and(|user| user.account == *account && user.name == *name)
            }
            _ => {
                let without_partition = |arn: &str| arn.splitn(3, ':').nth(2).map(str::to_owned);
                without_partition(arn) == without_partition(&self.at_root(Partition::Aws, account).to_string())
            }
        }
    }

    /// Returns whether the caller may be this principal, a session or a member of it: its account is checked only if an ARN
    /// was typed.
    #[must_use]
    pub fn is(&self, caller: &CallerArn) -> bool {
        let is_in_account = self.account().is_none_or(|account| caller.account() == Some(account));
        is_in_account
            && match (self, caller) {
                (Self::User(user), CallerArn::User(arn)) => arn.name == *user.name(),
                (Self::Group(_), CallerArn::User(_)) => true,
                (Self::Role(_), CallerArn::AssumedRole { role, .. }) => role.as_str() == self.name(),
                (Self::PermissionSet(name), caller) => caller.permission_set().as_ref() == Some(name),
                _ => false,
            }
    }
}

impl From<UserRef> for PrincipalRef {
    fn from(user: UserRef) -> Self {
        Self::User(user)
    }
}

impl fmt::Display for PrincipalRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(UserRef::Name(name)) => write!(formatter, "user/{name}"),
            Self::User(UserRef::Arn(arn)) => arn.fmt(formatter),
            Self::Group(GroupRef::Name(name)) => write!(formatter, "group/{name}"),
            Self::Group(GroupRef::Arn(arn)) => arn.fmt(formatter),
            Self::Role(RoleRef::Name { path, name }) => write!(formatter, "role{path}{name}"),
            Self::Role(RoleRef::Arn(arn)) => arn.fmt(formatter),
            Self::PermissionSet(name) => write!(formatter, "permission-set/{name}"),
        }
    }
}

impl FromStr for PrincipalRef {
    type Err = Invalid;

    fn from_str(value: &str) -> Result<Self, Invalid> {
        const WHAT: &str = "principal";
        let use_one = "use KIND/NAME such as `user/alice`, `group/deployers`, `role/ci/terraform` or \
                       `permission-set/Deployer`, or an ARN";
        let refuse = |rule: &str, fix: String| Err(Invalid::new(WHAT, value, rule.to_owned(), fix));
        match CallerArn::parse(value) {
            CallerArn::AssumedRole { role, .. } => {
                let fix = match set_of_role(role.as_str()) {
                    Some(set) => format!("use the permission set: `permission-set/{set}`"),
                    None => format!("use the role: `role/PATH/{role}`"),
                };
                return refuse("is a session of a role, not the role", fix);
            }
            CallerArn::Root { .. } => return refuse("is an account, not one principal", use_one.to_owned()),
            _ => {}
        }
        if value.starts_with("arn:") {
            let resource = value.splitn(6, ':').nth(5).unwrap_or_default();
            return match resource.split('/').next() {
                Some("user") => value.parse().map(|arn| Self::User(UserRef::Arn(arn))),
                Some("group") => value.parse().map(|arn| Self::Group(GroupRef::Arn(arn))),
                Some("role") => role_ref(value, RoleRef::Arn(value.parse()?)),
                _ => refuse("is not the ARN of a user, group or role", use_one.to_owned()),
            };
        }
        if let Some((kind @ ("user" | "group" | "role" | "permission-set"), rest)) = value.split_once('/')
            && rest.split('/').any(str::is_empty)
        {
            let kind = kind.replace('-', " ");
            return match rest.split('/').next_back() {
                Some("") => refuse(&format!("has no name of a {kind} after its last `/`"), use_one.to_owned()),
                _ => refuse("has an empty part between two `/` in its path", use_one.to_owned()),
            };
        }
        match value.split_once('/') {
            Some(("user", name)) => {
                let name = name.rsplit('/').next().unwrap_or_default();
                name.parse().map(|name| Self::User(UserRef::Name(name)))
            }
            Some(("group", name)) => {
                let name = name.rsplit('/').next().unwrap_or_default();
                name.parse().map(|name| Self::Group(GroupRef::Name(name)))
            }
            Some(("permission-set", name)) => name.parse().map(Self::PermissionSet),
            Some(("role", rest)) => {
                let (path, name) =
                    rest.rsplit_once('/').map_or(("/".to_owned(), rest), |(path, name)| (format!("/{path}/"), name));
                role_ref(value, RoleRef::Name { path: path.parse()?, name: name.parse()? })
            }
            _ => refuse("does not begin with a kind of principal", use_one.to_owned()),
        }
    }
}

/// Refuses a role that IAM Identity Center reserves for a permission set: nobody else can change it.
fn role_ref(value: &str, role: RoleRef) -> Result<PrincipalRef, Invalid> {
    let principal = PrincipalRef::Role(role);
    match set_of_role(principal.name()) {
        Some(set) => Err(Invalid::new(
            "principal",
            value,
            "is the role that IAM Identity Center reserves for a permission set, and IAM refuses to change it"
                .to_owned(),
            format!("use the permission set: `permission-set/{set}`"),
        )),
        None => Ok(principal),
    }
}

serde_as_text!(PrincipalRef);
