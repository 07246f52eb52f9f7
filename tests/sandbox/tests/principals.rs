//! Groups, roles and permission sets: the answers that `tests/cases/principals` records from AWS, and what tests plant.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic, and what it prints is shown when it fails"
)]

mod support;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use support::*;
use xacct_sandbox::Sandbox;
use xacct_sandbox::world::{ADMIN_A, ALICE, PermissionSet, Session, World};

const TEAM: &str = "arn:aws:iam::aws:policy/SecurityAudit";

impl From<&Session> for Keys {
    fn from(session: &Session) -> Self {
        let Session { key, token, .. } = session.clone();
        Keys { id: key.id, secret: key.secret, token: Some(token) }
    }
}

/// A case: what AWS answered, and in which situation.
struct Case(Value);

impl Case {
    fn read(name: &str) -> Self {
        let path = format!("{}/../cases/principals/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        Case(serde_json::from_str(&text).unwrap())
    }

    fn grant(&self) -> Value {
        self.0["context"]["grant"]["document"].clone()
    }

    fn trust(&self) -> Value {
        self.0["context"]["trust_policy"].clone()
    }

    /// Checks that the sandbox answers what AWS answered.
    #[track_caller]
    fn is(&self, answer: &Answer) {
        let expected = &self.0["answer"];
        let found = json!({ "status": answer.status, "code": answer.code(), "message": answer.message() });
        for field in ["status", "code", "message"] {
            assert_eq!(found[field], expected[field], "{}", answer.body);
        }
    }
}

/// A sandbox in which a role of account A has the grant of the case, and the role `xacct` the trust policy.
fn with_role(case: &Case, role: &str) -> Sandbox {
    let sandbox = Sandbox::start();
    sandbox.world(|world| {
        world.put_role_policy(A, role, "xacct", case.grant());
        world.add_role(B, "xacct", case.trust()).max_session_duration = 4 * 3600;
    });
    sandbox
}

fn as_admin(sandbox: &Sandbox, action: &str, more: &[(&str, &str)]) -> Answer {
    call(sandbox, ADMIN_A, action, more)
}

/// A grant that names this many roles, of about 50 characters each.
fn long_grant(roles: usize) -> String {
    let roles: Vec<_> = (0..roles).map(|number| format!("arn:aws:iam::{number:012}:role/xacct-deployment-0")).collect();
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": roles}]})
        .to_string()
}

#[test]
fn every_case_has_a_test() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../cases/principals");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let cases: BTreeSet<_> = files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    let source = include_str!("principals.rs");
    let read = source.split("Case::read(\"").skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned()));
    assert_eq!(read.collect::<BTreeSet<_>>(), cases);
}

#[test]
fn attach_absent_policy() {
    let case = Case::read("attach-absent-policy");
    let sandbox = Sandbox::start();
    sandbox.world(|world| world.add_role(A, "app", json!({"Statement": []})).id.clone());
    let policy = ("PolicyArn", "arn:aws:iam::111111111111:policy/xacct-1");
    case.is(&as_admin(&sandbox, "AttachRolePolicy", &[("RoleName", "app"), policy]));
}

#[test]
fn delete_policy_still_referenced() {
    let case = Case::read("delete-policy-still-referenced");
    let sandbox = Sandbox::start();
    let set = PermissionSet::new("Developer", "eu-west-1").reference("xacct");
    let refused = sandbox.world(|world| world.provision(A, &set)).unwrap_err();
    assert!(refused.starts_with("Received a 404 status error: Not supported policy"), "{refused}");
    assert_eq!(sandbox.world(|world| world.permission_set_role(A, "Developer").map(str::to_owned)), None);
    sandbox.world(|world| {
        world.add_policy(A, "xacct", case.grant());
        world.provision(A, &set).unwrap()
    });
    let delete = || as_admin(&sandbox, "DeletePolicy", &[("PolicyArn", "arn:aws:iam::111111111111:policy/xacct")]);
    case.is(&delete());
    let without = PermissionSet::new("Developer", "eu-west-1");
    sandbox.world(|world| world.provision(A, &without).unwrap());
    delete().ok();
}

#[test]
fn group_as_principal() {
    let case = Case::read("group-as-principal");
    let sandbox = Sandbox::start();
    sandbox.world(|world| world.add_to_group(A, "alice", "developers").id.clone());
    case.is(&create_role(&sandbox, &case.trust().to_string()));
}

#[test]
fn group_inline_sum() {
    let case = Case::read("group-inline-sum");
    let sandbox = Sandbox::start();
    sandbox.world(|world| world.add_to_group(A, "alice", "developers").id.clone());
    let put = |name: &str, document: &str| {
        let parameters = [("GroupName", "developers"), ("PolicyName", name), ("PolicyDocument", document)];
        as_admin(&sandbox, "PutGroupPolicy", &parameters)
    };
    put("others", &long_grant(90)).ok();
    put("xacct", &case.grant().to_string()).ok();
    case.is(&put("xacct", &long_grant(10)));
}

#[test]
fn group_policy_with_principal() {
    let case = Case::read("group-policy-with-principal");
    let sandbox = Sandbox::start();
    sandbox.world(|world| world.add_to_group(A, "alice", "developers").id.clone());
    let document = case.grant().to_string();
    let parameters = [("GroupName", "developers"), ("PolicyName", "xacct"), ("PolicyDocument", &*document)];
    case.is(&as_admin(&sandbox, "PutGroupPolicy", &parameters));
}

#[test]
fn managed_policy_too_long() {
    let case = Case::read("managed-policy-too-long");
    let sandbox = Sandbox::start();
    let arn = sandbox.world(|world| world.add_policy(A, "xacct-1", case.grant()));
    let create = |roles| {
        let document = long_grant(roles);
        as_admin(&sandbox, "CreatePolicyVersion", &[("PolicyArn", &*arn), ("PolicyDocument", &*document)])
    };
    create(110).ok();
    case.is(&create(130));
}

#[test]
fn pod_identity_inherited_tags() {
    let case = Case::read("pod-identity-inherited-tags");
    let sandbox = with_role(&case, "app");
    let session = sandbox.world(|world| {
        let name = "eks-cluster-runner-00000000-0000-0000-0000-000000000000";
        let session = world.issue_role_session(A, "app", name);
        session.tags.insert("kubernetes-namespace".to_owned(), "ci".to_owned());
        session.transitive_tags.insert("kubernetes-namespace".to_owned());
        Keys::from(&*session)
    });
    case.is(&assume(&sandbox, session.clone(), &[]));
    let with_tags = |mut document: Value| {
        document["Statement"][0]["Action"] = json!(["sts:AssumeRole", "sts:TagSession"]);
        document
    };
    sandbox.world(|world| world.set_trust_policy(B, "xacct", &with_tags(case.trust())));
    case.is(&assume(&sandbox, session.clone(), &[]));
    sandbox.world(|world| world.put_role_policy(A, "app", "xacct", with_tags(case.grant())));
    assume(&sandbox, session, &[]).ok();
}

#[test]
fn policy_name_taken() {
    let case = Case::read("policy-name-taken");
    let sandbox = Sandbox::start();
    sandbox.world(|world| world.add_policy(A, "xacct", case.grant()));
    let document = case.grant().to_string();
    case.is(&as_admin(&sandbox, "CreatePolicy", &[("PolicyName", "xacct"), ("PolicyDocument", &document)]));
}

#[test]
fn reserved_role_inline_policy() {
    let case = Case::read("reserved-role-inline-policy");
    let sandbox = Sandbox::start();
    // The suffix is random: the case has another.
    let name = "AWSReservedSSO_Developer_0123456789abcdef";
    sandbox.world(|world| {
        let role = world.add_role(A, name, json!({"Statement": []}));
        "/aws-reserved/sso.amazonaws.com/eu-west-1/".clone_into(&mut role.path);
    });
    let document = case.grant().to_string();
    let parameters = [("RoleName", name), ("PolicyName", "xacct"), ("PolicyDocument", &*document)];
    case.is(&as_admin(&sandbox, "PutRolePolicy", &parameters));
}

#[test]
fn role_attachment_quota() {
    let case = Case::read("role-attachment-quota");
    let sandbox = Sandbox::start();
    let arn = sandbox.world(|world| {
        for number in 0..10 {
            let arn = world.add_policy(A, &format!("other-{number}"), case.grant());
            world.attach_role_policy(A, "app", &arn);
        }
        world.add_policy(A, "xacct-1", case.grant())
    });
    let attach = || as_admin(&sandbox, "AttachRolePolicy", &[("RoleName", "app"), ("PolicyArn", &*arn)]);
    case.is(&attach());
    // AWS raises this quota on request.
    sandbox.world(|world| world.account_mut(A).quotas.attached_per_role = 11);
    let summary = as_admin(&sandbox, "GetAccountSummary", &[]).ok();
    assert!(summary.body.contains("<key>AttachedPoliciesPerRoleQuota</key><value>11</value>"), "{}", summary.body);
    attach().ok();
}

#[test]
fn sixth_policy_version() {
    let case = Case::read("sixth-policy-version");
    let sandbox = Sandbox::start();
    let arn = sandbox.world(|world| world.add_policy(A, "xacct", case.grant()));
    let document = case.grant().to_string();
    let create = || as_admin(&sandbox, "CreatePolicyVersion", &[("PolicyArn", &*arn), ("PolicyDocument", &document)]);
    for _ in 2..=5 {
        create().ok();
    }
    case.is(&create());
}

#[test]
fn task_role_chaining_four_hours() {
    let case = Case::read("task-role-chaining-four-hours");
    let sandbox = with_role(&case, "task");
    let name = "0123456789abcdef0123456789abcdef";
    let session = sandbox.world(|world| Keys::from(&*world.issue_role_session(A, "task", name)));
    case.is(&assume(&sandbox, session.clone(), &[("DurationSeconds", "14400")]));
    assume(&sandbox, session, &[("DurationSeconds", "3600")]).ok();
}

#[test]
fn trust_names_one_session() {
    let case = Case::read("trust-names-one-session");
    let sandbox = with_role(&case, "app");
    let session = |name: &str| sandbox.world(|world| Keys::from(&*world.issue_role_session(A, "app", name)));
    case.is(&assume(&sandbox, session("1670520670204031110"), &[]));
    assume(&sandbox, session("1670520669000000000"), &[]).ok();
}

/// The role of a permission set is provisioned, provisioned again with another policy, and created again.
#[test]
fn permission_sets() {
    let sandbox = Sandbox::start();
    let grant = |role: &str| serde_json::from_str::<Value>(&allow("sts:AssumeRole", role)).unwrap();
    let set = PermissionSet::new("Team_Admin", "eu-west-1");
    let provision = |set: &PermissionSet| sandbox.world(|world| world.provision(A, set).unwrap());
    let session =
        |role: &str| sandbox.world(|world| Keys::from(&*world.issue_role_session(A, role, "alice@example.com")));
    let condition = r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com*/AWSReservedSSO_Team_Admin_????????????????"}}"#;
    sandbox.world(|world| world.add_role(B, "xacct", serde_json::from_str(&trust(A, condition)).unwrap()).id.clone());

    let first = provision(&set);
    let (prefix, suffix) = first.rsplit_once('_').unwrap();
    assert_eq!((prefix, suffix.len()), ("AWSReservedSSO_Team_Admin", 16));
    let path = ("PathPrefix", "/aws-reserved/sso.amazonaws.com/");
    let listed = as_admin(&sandbox, "ListRoles", &[path]).ok();
    let arn = format!("arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com/eu-west-1/{first}");
    assert_eq!((listed.text("Arn").unwrap(), listed.body.matches("<RoleName>").count()), (arn, 1));
    let id = listed.text("RoleId").unwrap();
    let keys = session(&first);
    let identity = call(&sandbox, keys.clone(), "GetCallerIdentity", &[]).ok();
    let expected = format!("arn:aws:sts::111111111111:assumed-role/{first}/alice@example.com");
    assert_eq!(identity.text("Arn").unwrap(), expected);
    assume(&sandbox, keys.clone(), &[]).fails(403, "AccessDenied", &expected);

    // Provisioned again, the role keeps its name and ID, and running sessions have the new policy.
    let granted = set.clone().inline(grant(ROLE));
    assert_eq!(provision(&granted), first);
    let inline = [("RoleName", &*first), ("PolicyName", "AwsSSOInlinePolicy")];
    let shown = as_admin(&sandbox, "GetRolePolicy", &inline).ok().document("PolicyDocument");
    assert_eq!(shown, grant(ROLE));
    assert_eq!(as_admin(&sandbox, "GetRole", &inline[..1]).ok().text("RoleId").unwrap(), id);
    assume(&sandbox, keys.clone(), &[]).ok();

    // Assigned again, the role is another one, which the pattern admits, too. Its old sessions end.
    sandbox.world(|world| world.deprovision(A, "Team_Admin")).unwrap();
    as_admin(&sandbox, "GetRole", &inline[..1]).fails(404, "NoSuchEntity", &first);
    let second = provision(&granted);
    assert_ne!(second, first);
    call(&sandbox, keys, "GetCallerIdentity", &[]).fails(403, "InvalidClientTokenId", "");
    assume(&sandbox, session(&second), &[]).ok();

    // The path lacks the Region where Identity Center is in us-east-1, and another set is not admitted.
    let near = provision(&PermissionSet::new("Team", "us-east-1").inline(grant(ROLE)));
    let role = sandbox.world(|world| world.role(A, &near).unwrap().clone());
    assert_eq!(role.path, "/aws-reserved/sso.amazonaws.com/");
    assume(&sandbox, session(&near), &[]).fails(403, "AccessDenied", "");
}

/// Nobody assumes the role of a permission set without signing in, and nobody but AWS changes it or a service's role.
#[test]
fn protected_roles() {
    let sandbox = Sandbox::start();
    let set = PermissionSet::new("Deployer", "eu-west-1");
    let reserved = sandbox.world(|world| world.provision(A, &set).unwrap());
    let arn = format!("arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com/eu-west-1/{reserved}");
    assume(&sandbox, ADMIN_A, &[("RoleArn", &arn)]).fails(403, "AccessDenied", &arn);
    sandbox.world(|world| {
        let role = world.add_role(A, "AWSServiceRoleForSupport", json!({"Statement": []}));
        "/aws-service-role/support.amazonaws.com/".clone_into(&mut role.path);
    });
    let (policy, trust) = (allow("s3:*", "*"), trust(A, "{}"));
    for name in [&*reserved, "AWSServiceRoleForSupport"] {
        let before = sandbox.world(|world| format!("{:?}", world.role(A, name).unwrap()));
        let inline = ("PolicyName", "AwsSSOInlinePolicy");
        for (action, more) in [
            ("PutRolePolicy", vec![inline, ("PolicyDocument", &*policy)]),
            ("DeleteRolePolicy", vec![inline]),
            ("AttachRolePolicy", vec![("PolicyArn", TEAM)]),
            ("DetachRolePolicy", vec![("PolicyArn", TEAM)]),
            ("UpdateAssumeRolePolicy", vec![("PolicyDocument", &*trust)]),
            ("UpdateRole", vec![("MaxSessionDuration", "3600")]),
            ("PutRolePermissionsBoundary", vec![("PermissionsBoundary", TEAM)]),
            ("DeleteRolePermissionsBoundary", vec![]),
            ("TagRole", vec![("Tags.member.1.Key", "a"), ("Tags.member.1.Value", "b")]),
            ("UntagRole", vec![("TagKeys.member.1", "a")]),
            ("DeleteRole", vec![]),
        ] {
            let parameters = [&[("RoleName", name)], &more[..]].concat();
            let answer = as_admin(&sandbox, action, &parameters);
            answer.fails(400, "UnmodifiableEntity", &format!("the protected role '{name}' - this role is only modifi"));
            // Who may not ask is told only that.
            call(&sandbox, ALICE, action, &parameters).fails(403, "AccessDenied", action);
        }
        assert_eq!(sandbox.world(|world| format!("{:?}", world.role(A, name).unwrap())), before);
    }
}

#[test]
fn created_again_a_role_is_another_one() {
    let sandbox = Sandbox::start();
    let principals = sandbox.world(World::add_principals);
    let arn = "arn:aws:iam::111111111111:role/ci/terraform";
    sandbox.world(|world| {
        let grant = serde_json::from_str(&allow("sts:AssumeRole", "*")).unwrap();
        world.put_role_policy(A, "terraform", "xacct", grant);
        world.add_role(B, "xacct", serde_json::from_str(&trust(arn, "{}")).unwrap());
        let condition = format!(r#"{{"ArnEquals":{{"aws:PrincipalArn":"{arn}"}}}}"#);
        world.add_role(B, "by-condition", serde_json::from_str(&trust(A, &condition)).unwrap());
    });
    let by_condition = [("RoleArn", "arn:aws:iam::222222222222:role/by-condition")];
    assume(&sandbox, &principals.terraform, &[]).ok();
    assume(&sandbox, &principals.terraform, &by_condition).ok();
    let session = sandbox.world(|world| {
        let old = world.role(A, "terraform").unwrap().clone();
        let new = world.recreate_role(A, "terraform").clone();
        assert_ne!(old.id, new.id);
        assert_eq!((old.path, old.policies.inline), (new.path, new.policies.inline));
        world.issue_role_session(A, "terraform", "again").clone()
    });
    call(&sandbox, &principals.terraform, "GetCallerIdentity", &[]).fails(403, "InvalidClientTokenId", "");
    assume(&sandbox, &session, &[]).fails(403, "AccessDenied", "assumed-role/terraform/again");
    assume(&sandbox, &session, &by_condition).ok();
    let shown = sandbox.world(|world| world.trust_policy(B, "xacct").unwrap());
    assert!(shown["Statement"][0]["Principal"]["AWS"].as_str().unwrap().starts_with("AROA"), "{shown}");
}

/// One statement for the role of that name in every account of the organization. Assumed: AWS evaluates the key in an
/// *allow* as in a *deny*; no answer was found recorded.
#[test]
fn a_grant_for_an_organization() {
    let sandbox = Sandbox::start();
    let grant = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::*:role/xacct",
        "Condition": {"StringEquals": {"aws:ResourceOrgID": "${aws:PrincipalOrgID}"}},
    }]});
    sandbox.world(|world| {
        world.put_user_policy(A, "alice", "xacct", grant);
        for account in [B, "333333333333"] {
            world.add_role(account, "xacct", serde_json::from_str(&trust(A, "{}")).unwrap());
        }
    });
    let in_account =
        |account: &str| assume(&sandbox, ALICE, &[("RoleArn", &format!("arn:aws:iam::{account}:role/xacct"))]);
    // An account outside every organization has no such key.
    in_account(B).fails(403, "AccessDenied", "");
    sandbox.world(|world| {
        world.set_organization(A, "o-exampleorgid");
        world.set_organization(B, "o-exampleorgid");
        world.set_organization("333333333333", "o-otherother1");
    });
    in_account(B).ok();
    in_account("333333333333").fails(403, "AccessDenied", "");
}

#[test]
fn principals_of_the_source_account() {
    let sandbox = Sandbox::start();
    let principals = sandbox.world(World::add_principals);
    let caller = |session: &Session| call(&sandbox, session, "GetCallerIdentity", &[]).ok().text("Arn").unwrap();
    let build = "arn:aws:sts::111111111111:assumed-role/terraform/AWSCodeBuild-00000000-0000-4000-8000-000000000000";
    assert_eq!(caller(&principals.terraform), build);
    let role = &principals.deployer_role;
    let deployer = format!("arn:aws:sts::111111111111:assumed-role/{role}/alice@example.com");
    assert_eq!(caller(&principals.deployer), deployer);
    let groups = as_admin(&sandbox, "ListGroupsForUser", &[("UserName", "alice")]).ok();
    assert_eq!(groups.text("GroupName").unwrap(), "deployers");
    let shown = as_admin(&sandbox, "GetRole", &[("RoleName", "terraform")]).ok().text("Arn").unwrap();
    assert_eq!(shown, "arn:aws:iam::111111111111:role/ci/terraform");
    let document = allow("sts:AssumeRole", ROLE);
    let parameters = [("GroupName", "deployers"), ("PolicyName", "xacct"), ("PolicyDocument", &*document)];
    as_admin(&sandbox, "PutGroupPolicy", &parameters).ok();
    sandbox.world(|world| {
        assert_eq!(world.group_policy(A, "deployers", "xacct"), Some(&serde_json::from_str(&document).unwrap()));
    });
}

#[test]
fn entities_with_a_policy() {
    let sandbox = Sandbox::start();
    let arn = sandbox.world(|world| {
        let arn = world.add_policy(A, "team", serde_json::from_str(&allow("s3:*", "*")).unwrap());
        world.attach_user_policy(A, "alice", &arn);
        world.set_user_boundary(A, "bob", Some(&arn));
        world.add_to_group(A, "alice", "readers").policies.attached.insert(arn.clone());
        let principals = world.add_principals();
        world.attach_role_policy(A, "terraform", &arn);
        world.set_role_boundary(A, "terraform", Some(&arn));
        world.provision(A, &PermissionSet::new("Deployer", "eu-west-1").reference("team")).unwrap();
        assert_eq!(world.permission_set_role(A, "Deployer"), Some(&*principals.deployer_role));
        arn
    });
    let list = |more: &[(&str, &str)]| {
        let answer = as_admin(&sandbox, "ListEntitiesForPolicy", &[&[("PolicyArn", &*arn)], more].concat()).ok();
        let of = |kind: &str| {
            let mut names = texts(&answer.body, &format!("{kind}Name"));
            // The role of the permission set has a random suffix.
            names.iter_mut().for_each(|name| name.truncate(name.find("Deployer_").map_or(name.len(), |at| at + 8)));
            names.join(" ")
        };
        ["Group", "User", "Role"].map(of).join(" / ")
    };
    let attached = "readers / alice / AWSReservedSSO_Deployer terraform";
    assert_eq!(list(&[]), "readers / alice bob / AWSReservedSSO_Deployer terraform");
    assert_eq!(list(&[("PolicyUsageFilter", "PermissionsPolicy")]), attached);
    assert_eq!(list(&[("PolicyUsageFilter", "PermissionsBoundary")]), " / bob / terraform");
    assert_eq!(list(&[("EntityFilter", "Role"), ("PathPrefix", "/ci/")]), " /  / terraform");
    assert_eq!(list(&[("MaxItems", "2")]), "readers / alice / ");
    assert_eq!(list(&[("MaxItems", "2"), ("Marker", "after-2")]), " / bob / AWSReservedSSO_Deployer");
    as_admin(&sandbox, "ListEntitiesForPolicy", &[("PolicyArn", &*arn), ("EntityFilter", "Team")]).fails(
        400,
        "ValidationError",
        "entityFilter",
    );
    let none = ("PolicyArn", "arn:aws:iam::111111111111:policy/none");
    as_admin(&sandbox, "ListEntitiesForPolicy", &[none]).fails(404, "NoSuchEntity", "was not found");
}
