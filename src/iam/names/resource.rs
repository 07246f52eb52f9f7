//! Names and paths of IAM roles, users and policies.

use super::text::{Letters, check, check_name, text_type};
use crate::iam::invalid::{Invalid, shown};

text_type! {
    /// The name of a role, without path: 1 to 64 of `[\w+=,.@-]` (AWS IAM API reference, `CreateRole`).
    /// ARNs are case-sensitive, although two roles of an account may not differ only in case.
    RoleName, |value| check_name("role name", (1, 64), value)
}

text_type! {
    /// The name of a user, without path: 1 to 64 of `[\w+=,.@-]` (AWS IAM API reference, `CreateUser`).
    UserName, |value| check_name("user name", (1, 64), value)
}

text_type! {
    /// The name of a group, without path: 1 to 128 of `[\w+=,.@-]` (AWS IAM API reference, `CreateGroup`).
    GroupName, |value| check_name("group name", (1, 128), value)
}

text_type! {
    /// The name of a permission set: 1 to 32 of `[\w+=,.@-]` (IAM Identity Center API reference, `CreatePermissionSet`).
    PermissionSetName, |value| check_name("permission set name", (1, 32), value)
}

text_type! {
    /// The name of a policy, inline or managed, without path: 1 to 128 of `[\w+=,.@-]`
    /// (AWS IAM API reference, `PutRolePolicy`).
    PolicyName, |value| check_name("policy name", (1, 128), value)
}

text_type! {
    /// The path of a role, user or policy: `/`, or up to 512 visible ASCII characters that begin and end with a slash
    /// (AWS IAM API reference, `CreateRole`).
    IamPath, check_path
}

text_type! {
    /// The description of a role: up to 1,000 printable characters of Latin-1 (AWS IAM API reference, `CreateRole`). IAM
    /// also allows tabs, line breaks and the soft hyphen, which nobody sees.
    Description, |value| {
        let printable: Letters = (|c| matches!(c, ' '..='~' | '\u{a1}'..='\u{ac}' | '\u{ae}'..='\u{ff}'), "printable characters of Latin-1");
        check("description", (0, 1000), printable, "", value)
    }
}

impl IamPath {
    /// Returns the default path, `/`.
    pub fn root() -> Self {
        Self("/".to_owned())
    }

    /// Returns whether this is the path `/`.
    pub fn is_root(&self) -> bool {
        self.0 == "/"
    }
}

fn check_path(value: &str) -> Result<(), Invalid> {
    let visible: Letters = (|character| character.is_ascii_graphic(), "visible ASCII characters");
    check("IAM path", (1, 512), visible, "", value)?;
    let inner = value.trim_matches('/');
    if value == "/" || (value.len() > 2 && value.starts_with('/') && value.ends_with('/')) {
        return Ok(());
    }
    let (rule, fix) = match inner {
        "" => ("has nothing between its slashes", "use `/` for no path".to_owned()),
        _ => ("does not begin and end with `/`", format!("write it as `/{}/`", shown(inner))),
    };
    Err(Invalid::new("IAM path", value, rule, fix))
}
