//! The initial state of every behaviour: two fresh accounts, an administrator in each, and the user `alice` in the
//! first.

use std::rc::Rc;

use aws_sdk_iam::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::assume_role::builders::AssumeRoleFluentBuilder;
use serde_json::{Value, json};

use crate::keys::Keys;
use crate::place::NOT_ASKED;
use crate::server::{Name, Server};

/// The name of the role in account B.
pub const ROLE: &str = "target";
const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

/// An account.
pub struct Account {
    /// The account ID.
    pub id: String,
    /// Access key of its root user.
    pub root: Keys,
    /// Access key of the user `admin`, an administrator.
    pub admin: Keys,
    /// IAM client of that user.
    pub iam: aws_sdk_iam::Client,
}

/// Two fresh accounts on a server.
pub struct Scene {
    /// The server.
    pub server: Rc<Server>,
    /// The source account.
    pub a: Account,
    /// The target account.
    pub b: Account,
    /// Access key of the user `alice` of account A, who has no permissions yet.
    pub alice: Keys,
}

impl Scene {
    /// Creates two accounts.
    pub async fn open(server: Rc<Server>) -> Self {
        let a = Account::open(&server).await;
        let b = Account::open(&server).await;
        let alice = new_user(&server.iam(&a.root), "alice").await;
        Self { server, a, b, alice }
    }

    /// Returns the access key of account A's root user, which nobody has of a real account.
    pub fn root(&self) -> &Keys {
        assert!(self.server.name() != Name::Aws, "{NOT_ASKED}the root user has no access key, and must not have one");
        &self.a.root
    }

    /// Returns an IAM client with these keys.
    pub fn iam(&self, keys: &Keys) -> aws_sdk_iam::Client {
        self.server.iam(keys)
    }

    /// Returns an STS client with these keys.
    pub fn sts(&self, keys: &Keys) -> aws_sdk_sts::Client {
        self.server.sts(keys)
    }

    /// Returns an S3 client with these keys in a Region.
    pub fn s3(&self, keys: &Keys, region: &'static str) -> aws_sdk_s3::Client {
        self.server.s3(keys, region)
    }

    /// Returns the ARN of a role in account B.
    pub fn role_arn(&self, role: &str) -> String {
        format!("arn:aws:iam::{}:role/{role}", self.b.id)
    }

    /// Replaces `<A>` and `<B>` in a document with the account IDs.
    pub fn filled(&self, document: &Value) -> String {
        document.to_string().replace("<A>", &self.a.id).replace("<B>", &self.b.id)
    }

    /// Replaces account IDs with `<A>` and `<B>`, and unique IDs with `AIDA…` and the like.
    pub fn masked(&self, text: &str) -> String {
        // The prefix of names in real accounts; an empty text would be found everywhere.
        let prefix = Some(self.server.prefix()).filter(|prefix| !prefix.is_empty());
        let text = prefix.map_or_else(|| text.to_owned(), |prefix| text.replace(prefix, ""));
        let masked = text.replace(&self.a.id, "<A>").replace(&self.b.id, "<B>");
        masked.split_inclusive(|character: char| !character.is_ascii_alphanumeric()).map(without_unique_id).collect()
    }

    /// Creates the role in account B with this trust policy.
    pub async fn role(&self, trust: &Value) {
        let request = self.b.iam.create_role().role_name(ROLE).assume_role_policy_document(self.filled(trust));
        request.send().await.expect("a role");
    }

    /// Replaces the role's trust policy.
    pub async fn set_trust(&self, trust: &Value) {
        let request = self.b.iam.update_assume_role_policy().role_name(ROLE).policy_document(self.filled(trust));
        request.send().await.expect("a trust policy");
    }

    /// Adds this policy to the role.
    pub async fn role_may(&self, policy: &Value) {
        let request = self.b.iam.put_role_policy().role_name(ROLE).policy_name("may");
        request.policy_document(self.filled(policy)).send().await.expect("a policy of the role");
    }

    /// Adds an inline policy to alice.
    pub async fn grant(&self, name: &str, policy: &Value) {
        let request = self.a.iam.put_user_policy().user_name("alice").policy_name(name);
        request.policy_document(self.filled(policy)).send().await.expect("a policy of alice");
    }

    /// Creates the role, which trusts account A, and grants it to alice.
    pub async fn link(&self) {
        self.role(&trust(json!({ "AWS": "arn:aws:iam::<A>:root" }), json!({}))).await;
        self.grant("grant", &allow("sts:AssumeRole", "arn:aws:iam::<B>:role/target")).await;
    }

    /// Sets a managed policy of account A as alice's permissions boundary.
    pub async fn limit(&self, boundary: &Value) {
        let policy = self.a.iam.create_policy().policy_name("boundary").policy_document(self.filled(boundary));
        let policy = policy.send().await.expect("a managed policy");
        let arn = policy.policy().and_then(|policy| policy.arn()).expect("its ARN");
        let put = self.a.iam.put_user_permissions_boundary().user_name("alice").permissions_boundary(arn);
        put.send().await.expect("a permissions boundary");
    }

    /// Returns an AssumeRole request for the role by alice.
    pub fn assume(&self) -> AssumeRoleFluentBuilder {
        self.assume_as(&self.alice)
    }

    /// Returns the same request with these keys.
    pub fn assume_as(&self, keys: &Keys) -> AssumeRoleFluentBuilder {
        self.sts(keys).assume_role().role_arn(self.role_arn(ROLE)).role_session_name("session")
    }

    /// Assumes the role as alice.
    pub async fn session(&self) -> Keys {
        Keys::temporary(self.assume().send().await.expect("a session").credentials())
    }
}

impl Account {
    async fn open(server: &Server) -> Self {
        let (id, root) = server.open_account();
        let iam = server.iam(&root);
        let admin = new_user(&iam, "admin").await;
        let request = iam.attach_user_policy().user_name("admin").policy_arn(ADMINISTRATOR);
        request.send().await.expect("the policy of administrators");
        let iam = server.iam(&admin);
        Self { id, root, admin, iam }
    }
}

async fn new_user(iam: &aws_sdk_iam::Client, name: &str) -> Keys {
    iam.create_user().user_name(name).send().await.expect("a user");
    new_key(iam, name).await
}

/// Creates an access key for a user.
pub async fn new_key(iam: &aws_sdk_iam::Client, user: &str) -> Keys {
    let key = iam.create_access_key().user_name(user).send().await.expect("an access key");
    let key = key.access_key().expect("an access key");
    Keys { id: key.access_key_id().to_owned(), secret: key.secret_access_key().to_owned(), token: None }
}

/// Replaces unique IDs with `AIDA…` and the like.
fn without_unique_id(word: &str) -> String {
    let end = word.find(|character: char| !character.is_ascii_alphanumeric()).unwrap_or(word.len());
    let is_unique_id = end > 16 && ["AIDA", "AROA"].iter().any(|prefix| word.starts_with(prefix));
    if is_unique_id { format!("{}…{}", &word[..4], &word[end..]) } else { word.to_owned() }
}

/// Returns a policy that allows an action on a resource.
pub fn allow(action: impl Into<Value>, resource: impl Into<Value>) -> Value {
    policy("Allow", action, resource)
}

/// Returns a policy that denies an action on a resource.
pub fn deny(action: impl Into<Value>, resource: impl Into<Value>) -> Value {
    policy("Deny", action, resource)
}

fn policy(effect: &str, action: impl Into<Value>, resource: impl Into<Value>) -> Value {
    let (action, resource): (Value, Value) = (action.into(), resource.into());
    document(json!({ "Effect": effect, "Action": action, "Resource": resource }))
}

/// Returns a trust policy that admits a principal under a condition.
pub fn trust(principal: impl Into<Value>, condition: Value) -> Value {
    let principal: Value = principal.into();
    document(json!({ "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": condition }))
}

/// Returns a policy document with one statement or a list of them.
pub fn document(statement: Value) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statement })
}

/// Returns the result of a call: `ok`, or HTTP status and error code. `HEAD` may have no code.
pub fn told<T, E>(result: Result<T, SdkError<E>>) -> String
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    answer(result, |_| "ok".to_owned())
}

/// Returns the result of a call, with the server's message if it failed.
pub fn in_full<T, E>(result: Result<T, SdkError<E>>) -> String
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let message = result.as_ref().err().and_then(|error| error.message()).unwrap_or_default().to_owned();
    let told = told(result);
    if message.is_empty() { told } else { format!("{told}: {message}") }
}

/// Returns the result of a call, with a text of the behaviour's own if it succeeded.
pub fn answer<T, E>(result: Result<T, SdkError<E>>, words: impl FnOnce(T) -> String) -> String
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match result {
        Ok(output) => words(output),
        Err(error) => match error.raw_response() {
            Some(response) => {
                let status = response.status().as_u16();
                error.code().map_or_else(|| status.to_string(), |code| format!("{status} {code}"))
            }
            None => DisplayErrorContext(&error).to_string(),
        },
    }
}

/// Joins several results.
pub fn several<const COUNT: usize>(answers: [String; COUNT]) -> String {
    answers.join(", ")
}
