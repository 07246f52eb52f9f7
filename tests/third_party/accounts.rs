//! Fresh AWS accounts in ministack, with users that have access keys, and the AWS CLI as an independent witness.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::policies::document;
use crate::support::{Output, TestEnvironment, third_party};
use crate::{ministack, witness};

/// A Region whose buckets need a location constraint, unlike us-east-1.
pub const REGION: &str = "eu-west-1";

/// A source account with the operator `security-admin` and the user `alice`, a target account with the operator
/// `dev-admin`, profiles of these names, and a directory in which xacct can use them.
pub struct Accounts {
    /// The environment of xacct.
    pub environment: TestEnvironment,
    /// The source account.
    pub source: Account,
    /// The target account.
    pub target: Account,
    /// The URL of ministack, for `AWS_ENDPOINT_URL`.
    pub url: &'static str,
}

/// An account, accessed as its root user through the AWS CLI.
pub struct Account {
    /// The account ID.
    pub id: String,
    witness: TestEnvironment,
}

impl Accounts {
    /// Creates accounts for one test, so that all tests can share one ministack; `None`, counted as skipped, without
    /// ministack or the AWS CLI.
    pub fn for_test(test: &str) -> Option<Self> {
        match Self::open() {
            Ok(accounts) => Some(accounts),
            Err(reason) => {
                third_party::skip(test, &reason);
                None
            }
        }
    }

    fn open() -> Result<Self, String> {
        let (source, target) = (Account::open()?, Account::open()?);
        let url = &ministack::shared()?.url;
        let mut environment = TestEnvironment::new();
        environment.set("AWS_ENDPOINT_URL", url);
        std::thread::scope(|scope| {
            scope.spawn(|| target.operator(&environment, "dev-admin"));
            source.operator(&environment, "security-admin");
            source.user(&environment, "alice", "alice");
        });
        Ok(Self { environment, source, target, url })
    }

    /// Creates another account, with an operator and a profile of that name.
    pub fn another_target(&self, operator: &str) -> Account {
        let account = Account::open().expect("what the first accounts had");
        account.operator(&self.environment, operator);
        account
    }

    /// Runs `xacct bootstrap --yes` for the target account and alice with all profiles, and these additional arguments.
    pub fn bootstrap(&self, more: &[&str]) -> Output {
        self.environment.xacct(&self.arguments("alice", "alice", more))
    }

    /// Runs the same for a user whose profile has another name.
    pub fn bootstrap_for(&self, user: &str, profile: &str, more: &[&str]) -> Output {
        self.environment.xacct(&self.arguments(user, profile, more))
    }

    /// Runs the same for alice, with JSON output.
    pub fn bootstrap_json(&self, more: &[&str], exit_code: i32) -> Value {
        let arguments = self.arguments("alice", "alice", more);
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        self.environment.xacct_json(&arguments, exit_code)
    }

    fn arguments(&self, user: &str, profile: &str, more: &[&str]) -> Vec<String> {
        let usual = [
            "bootstrap".to_owned(),
            "--yes".to_owned(),
            format!("--target-account={}", self.target.id),
            format!("--user={user}"),
            format!("--user-profile={profile}"),
            "--profile=security-admin".to_owned(),
            "--target-profile=dev-admin".to_owned(),
        ];
        let more = more.iter().map(|&argument| argument.to_owned());
        usual.into_iter().chain(more).collect()
    }

    /// Returns everything in both accounts that xacct could change.
    pub fn everything(&self) -> Value {
        json!([self.source.everything(), self.target.everything()])
    }

    /// Returns the ARN of a role in the target account.
    pub fn role_arn(&self, name: &str) -> String {
        format!("arn:aws:iam::{}:role/{name}", self.target.id)
    }
}

impl Account {
    fn open() -> Result<Self, String> {
        witness::start()?;
        let ministack = ministack::shared()?;
        let id = random_account_id();
        let mut witness = TestEnvironment::new();
        witness.set("AWS_ENDPOINT_URL", &ministack.url);
        witness.set("AWS_DEFAULT_REGION", REGION);
        // In ministack, an account ID is the access key of that account's root user.
        witness.set("AWS_ACCESS_KEY_ID", &id);
        witness.set("AWS_SECRET_ACCESS_KEY", "any");
        Ok(Self { id, witness })
    }

    /// Runs the AWS CLI as the root user with these arguments; `Null` if it prints nothing.
    #[track_caller]
    pub fn aws(&self, words: &str) -> Value {
        self.run(&words.split_whitespace().collect::<Vec<_>>())
    }

    /// Runs the same, with a JSON document as the last argument.
    #[track_caller]
    pub fn aws_with(&self, words: &str, document: &Value) -> Value {
        let document = document.to_string();
        self.run(&words.split_whitespace().chain([&*document]).collect::<Vec<_>>())
    }

    /// Runs the same, with a text as the last argument.
    #[track_caller]
    pub fn aws_text(&self, words: &str, text: &str) -> Value {
        self.run(&words.split_whitespace().chain([text]).collect::<Vec<_>>())
    }

    #[track_caller]
    fn run(&self, arguments: &[&str]) -> Value {
        let output = witness::run(&self.witness, &[&["--output", "json"], arguments].concat()).exits_with(0);
        match output.stdout.trim() {
            "" => Value::Null,
            _ => output.json(),
        }
    }

    /// Creates an administrator with an access key, and a profile of that name.
    pub fn operator(&self, environment: &TestEnvironment, name: &str) {
        self.user(environment, name, name);
        let administrator = "--policy-arn arn:aws:iam::aws:policy/AdministratorAccess";
        self.aws(&format!("iam attach-user-policy --user-name {name} {administrator}"));
    }

    /// Creates a user with an access key and without permissions, and a profile.
    pub fn user(&self, environment: &TestEnvironment, name: &str, profile: &str) {
        self.aws(&format!("iam create-user --user-name {name}"));
        let key = &self.aws(&format!("iam create-access-key --user-name {name}"))["AccessKey"];
        self.profile(environment, profile, string(&key["AccessKeyId"]), string(&key["SecretAccessKey"]));
    }

    /// Writes a profile of this account.
    pub fn profile(&self, environment: &TestEnvironment, name: &str, key: &str, secret: &str) {
        let config = format!("[profile {name}]\nregion = {REGION}\naws_account_id = {}\n", self.id);
        let credentials = format!("[{name}]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n");
        environment.append(".aws/config", &config);
        environment.append(".aws/credentials", &credentials);
    }

    /// Returns a role, with its description, limits, tags and trust policy.
    #[track_caller]
    pub fn role(&self, name: &str) -> Value {
        self.aws(&format!("iam get-role --role-name {name}"))["Role"].clone()
    }

    /// Creates an unmanaged role that trusts another account.
    pub fn create_role(&self, name: &str, trusted: &Account) {
        let words = format!("iam create-role --role-name {name} --assume-role-policy-document");
        self.aws_with(&words, &trust(&trusted.id));
    }

    /// Replaces a role's trust policy without xacct.
    pub fn set_trust_policy(&self, role: &str, document: &Value) {
        let words = format!("iam update-assume-role-policy --role-name {role} --policy-document");
        self.aws_with(&words, document);
    }

    /// Attaches an AWS managed policy to a role.
    pub fn attach(&self, role: &str, policy: &str) {
        let arn = format!("arn:aws:iam::aws:policy/{policy}");
        self.aws(&format!("iam attach-role-policy --role-name {role} --policy-arn {arn}"));
    }

    /// Returns the names of the managed policies attached to a role, sorted.
    #[track_caller]
    pub fn attached(&self, role: &str) -> Vec<String> {
        let answer = self.aws(&format!("iam list-attached-role-policies --role-name {role}"));
        names(&answer["AttachedPolicies"], "PolicyName")
    }

    /// Returns the inline policies of a role, by name.
    #[track_caller]
    pub fn role_policies(&self, role: &str) -> BTreeMap<String, Value> {
        documents(&self.details("RoleDetailList", "RoleName", role)["RolePolicyList"])
    }

    /// Returns the inline policies of a user, by name.
    #[track_caller]
    pub fn user_policies(&self, user: &str) -> BTreeMap<String, Value> {
        documents(&self.details("UserDetailList", "UserName", user)["UserPolicyList"])
    }

    /// Returns the roles in a user's grant, which must be a single statement that allows nothing else.
    #[track_caller]
    pub fn granted(&self, user: &str) -> Vec<String> {
        let policies = self.user_policies(user);
        let Some(grant) = policies.get("xacct") else {
            return Vec::new();
        };
        let [statement] = items(&grant["Statement"]) else {
            panic!("not one statement: {grant:#}");
        };
        assert_eq!(statement["Effect"], "Allow");
        assert_eq!(statement["Action"], "sts:AssumeRole");
        match &statement["Resource"] {
            Value::String(one) => vec![one.clone()],
            several => items(several).iter().map(|arn| string(arn).to_owned()).collect(),
        }
    }

    /// Returns the names of all roles, sorted.
    pub fn roles(&self) -> Vec<String> {
        names(&self.aws("iam list-roles")["Roles"], "RoleName")
    }

    /// Returns the names of all buckets, sorted.
    pub fn buckets(&self) -> Vec<String> {
        names(&self.aws("s3api list-buckets")["Buckets"], "Name")
    }

    /// Returns all users and roles with their policies, and all buckets.
    pub fn everything(&self) -> Value {
        json!([self.authorization(), self.buckets()])
    }

    fn authorization(&self) -> Value {
        self.aws("iam get-account-authorization-details --filter User Role Group LocalManagedPolicy")
    }

    #[track_caller]
    fn details(&self, list: &str, key: &str, name: &str) -> Value {
        let all = self.authorization();
        let found = items(&all[list]).iter().find(|item| item[key] == name);
        found.unwrap_or_else(|| panic!("no {key} {name} in account {}", self.id)).clone()
    }
}

/// Returns a trust policy that admits an account without conditions.
pub fn trust(account: &str) -> Value {
    document(json!([{
        "Effect": "Allow",
        "Principal": { "AWS": format!("arn:aws:iam::{account}:root") },
        "Action": "sts:AssumeRole",
    }]))
}

/// Returns the text of a JSON string.
#[track_caller]
pub fn string(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is not a string"))
}

/// Returns the items of a JSON list; none if there is no list.
pub fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn names(list: &Value, key: &str) -> Vec<String> {
    let mut names: Vec<_> = items(list).iter().map(|item| string(&item[key]).to_owned()).collect();
    names.sort();
    names
}

fn documents(list: &Value) -> BTreeMap<String, Value> {
    let policies = items(list).iter();
    policies.map(|policy| (string(&policy["PolicyName"]).to_owned(), policy["PolicyDocument"].clone())).collect()
}

fn random_account_id() -> String {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).expect("random bytes");
    (100_000_000_000 + u64::from_le_bytes(bytes) % 900_000_000_000).to_string()
}
