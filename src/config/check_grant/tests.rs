use super::*;
use crate::cli::SetGrant;

fn link(name: &str, role: &str, principals: &[&str]) -> Link {
    let new = Link::new("222222222222".parse().unwrap()).unwrap();
    let principals = principals.iter().map(|it| it.parse().unwrap()).collect();
    Link { name: name.to_owned(), role: role.parse().unwrap(), principals, ..new }
}

fn settings(scope: Option<GrantScope>, set_grant: Option<SetGrant>) -> GrantSettings {
    GrantSettings { scope, set_grant, organization: Some("o-a1b2c3d4e5".parse().unwrap()) }
}

fn check(settings: &GrantSettings, links: &[Link]) -> std::result::Result<(), String> {
    settings.check(links, &ConfigFile::default()).map_err(|error| error.message)
}

#[test]
fn the_roles_of_each_principal_of_an_organization_grant_share_one_name() {
    let wide = settings(Some(GrantScope::Organization), None);
    let one_name = [link("dev", "xacct", &["user/alice"]), link("prod", "xacct", &["user/alice"])];
    assert_eq!(check(&wide, &one_name), Ok(()));
    let names = [link("dev", "xacct", &["user/alice"]), link("prod", "deploy", &["user/alice"])];
    let error = check(&wide, &names).unwrap_err();
    assert!(error.contains("`dev` has role `/xacct` and target `prod` role `/deploy`"), "{error}");
    // Those of different principals may differ, and so may those in a list.
    let others = [link("dev", "xacct", &["user/alice"]), link("prod", "deploy", &["user/bob"])];
    assert_eq!(check(&wide, &others), Ok(()));
    assert_eq!(check(&settings(None, None), &names), Ok(()));
    // The path counts, too, and so does the operator.
    let mut of_operator = [link("dev", "xacct", &[]), link("prod", "xacct", &[])];
    assert_eq!(check(&wide, &of_operator), Ok(()));
    of_operator[1].role_path = "/team/".parse().unwrap();
    assert!(check(&wide, &of_operator).is_err());
}

#[test]
fn a_pattern_concerns_permission_sets_alone() {
    let pattern = settings(None, Some(SetGrant::Pattern));
    let set = "permission-set/Deployer";
    let names = [link("dev", "xacct", &[set, "user/alice"]), link("prod", "deploy", &["user/alice"])];
    assert_eq!(check(&pattern, &names), Ok(()));
    let names = [link("dev", "xacct", &[set]), link("prod", "deploy", &[set])];
    assert!(check(&pattern, &names).is_err());
    let (set, alice): (PrincipalRef, PrincipalRef) = (set.parse().unwrap(), "user/alice".parse().unwrap());
    assert!(pattern.organization_of(&set).is_some());
    assert_eq!(pattern.organization_of(&alice), None);
}

#[test]
fn what_cannot_apply_is_refused() {
    let users = [link("dev", "xacct", &["user/alice"])];
    for place in SetGrant::ALL {
        assert_eq!(
            check(&settings(None, Some(place)), &users),
            Err("set_grant is for permission sets, but no link is for one".to_owned())
        );
    }
    let without = GrantSettings { organization: None, ..settings(Some(GrantScope::Organization), None) };
    assert_eq!(check(&without, &users), Err("grant = \"organization\" needs the ID of the organization".to_owned()));
}
