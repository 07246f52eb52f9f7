//! Principals of the source account other than users, for tests.

use serde_json::json;

use super::{ACCOUNT_A, PermissionSet, Session, World};

/// The principals that [`World::add_principals`] adds.
#[derive(Debug, Clone)]
pub struct Principals {
    /// A session of the role `ci/terraform`.
    pub terraform: Session,
    /// Name of the role of the permission set `Deployer`.
    pub deployer_role: String,
    /// A session of that role, as a user who signed in has it.
    pub deployer: Session,
}

impl World {
    /// Adds principals without permissions to account A: the group `deployers` with alice as its member, the role
    /// `ci/terraform` for machines, and the permission set `Deployer` of an Identity Center in eu-west-1.
    pub fn add_principals(&mut self) -> Principals {
        self.add_to_group(ACCOUNT_A, "alice", "deployers");
        let trust = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": {"Service": "codebuild.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }],
        });
        "/ci/".clone_into(&mut self.add_role(ACCOUNT_A, "terraform", trust).path);
        let build = "AWSCodeBuild-00000000-0000-4000-8000-000000000000";
        let terraform = self.issue_role_session(ACCOUNT_A, "terraform", build).clone();
        let role = self.provision(ACCOUNT_A, &PermissionSet::new("Deployer", "eu-west-1"));
        let deployer_role = role.expect("a permission set without policies is provisioned anywhere");
        let deployer = self.issue_role_session(ACCOUNT_A, &deployer_role, "alice@example.com").clone();
        Principals { terraform, deployer_role, deployer }
    }
}
