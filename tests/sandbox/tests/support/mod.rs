//! A client small enough to send what no SDK would send.
#![allow(dead_code, reason = "every test file uses its own part of it")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use time::OffsetDateTime;
use xacct_sandbox::world::{ADMIN_A, ADMIN_B, KeyPair};
use xacct_sandbox::{Sandbox, Signer};

pub const A: &str = "111111111111";
pub const B: &str = "222222222222";
pub const ROLE: &str = "arn:aws:iam::222222222222:role/xacct";

/// Credentials, long-term or temporary.
#[derive(Debug, Clone)]
pub struct Keys {
    pub id: String,
    pub secret: String,
    pub token: Option<String>,
}

impl From<KeyPair> for Keys {
    fn from(pair: KeyPair) -> Self {
        Keys { id: pair.id.to_owned(), secret: pair.secret.to_owned(), token: None }
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    /// The text of the first element of that name.
    pub fn text(&self, element: &str) -> Option<String> {
        let (_, rest) = self.body.split_once(&format!("<{element}>"))?;
        let (text, _) = rest.split_once(&format!("</{element}>"))?;
        Some(text.replace("&quot;", "\"").replace("&apos;", "'").replace("&amp;", "&"))
    }

    pub fn code(&self) -> String {
        self.text("Code").unwrap_or_default()
    }

    pub fn message(&self) -> String {
        self.text("Message").unwrap_or_default()
    }

    /// A document that was percent-encoded.
    pub fn document(&self, element: &str) -> serde_json::Value {
        let text = self.text(element).unwrap();
        let text = percent_encoding::percent_decode_str(&text).decode_utf8().unwrap().into_owned();
        serde_json::from_str(&text).unwrap()
    }

    #[track_caller]
    pub fn ok(self) -> Answer {
        assert!(self.status < 300, "{} {}", self.status, self.body);
        self
    }

    /// The answer is this error.
    #[track_caller]
    pub fn fails(&self, status: u16, code: &str, message: &str) {
        assert_eq!((self.status, self.code().as_str()), (status, code), "{}", self.body);
        assert!(self.message().contains(message), "`{}` lacks `{message}`", self.message());
    }

    /// The credentials of an answer of STS.
    pub fn keys(&self) -> Keys {
        Keys {
            id: self.text("AccessKeyId").expect("credentials"),
            secret: self.text("SecretAccessKey").unwrap(),
            token: self.text("SessionToken"),
        }
    }
}

/// Returns the texts of all elements of that name.
pub fn texts(body: &str, element: &str) -> Vec<String> {
    let (start, end) = (format!("<{element}>"), format!("</{element}>"));
    body.split(&start).skip(1).filter_map(|piece| Some(piece.split_once(&end)?.0.to_owned())).collect()
}

/// Sends bytes as they are and reads until the server closes; `None` if it resets.
pub fn raw(sandbox: &Sandbox, request: &[u8]) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", sandbox.port())).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    stream.write_all(request).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Sends a request with these headers.
pub fn send(sandbox: &Sandbox, method: &str, target: &str, headers: &[(String, String)], body: &str) -> Option<Answer> {
    let mut request = format!("{method} {target} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    let answer = raw(sandbox, format!("{request}\r\n{body}").as_bytes())?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some(Answer { status: head.split(' ').nth(1)?.parse().ok()?, head: head.to_owned(), body: body.to_owned() })
}

/// How a request is signed, to be varied.
pub fn signer(keys: &Keys, service: &str, region: &str) -> Signer {
    Signer {
        access_key: keys.id.clone(),
        secret_key: keys.secret.clone(),
        session_token: keys.token.clone(),
        region: region.to_owned(),
        service: service.to_owned(),
        time: OffsetDateTime::now_utc(),
    }
}

/// The form of a query-protocol request.
pub fn form(action: &str, parameters: &[(&str, &str)]) -> String {
    let version = match action {
        "AssumeRole" | "GetCallerIdentity" | "GetSessionToken" => "2011-06-15",
        _ => "2010-05-08",
    };
    let mut form = format!("Action={action}&Version={version}");
    for (name, value) in parameters {
        form += &format!("&{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC));
    }
    form
}

/// Calls an operation of IAM or STS.
#[track_caller]
pub fn call(sandbox: &Sandbox, keys: impl Into<Keys>, action: &str, parameters: &[(&str, &str)]) -> Answer {
    try_call(sandbox, keys, action, parameters).expect("an answer")
}

pub fn try_call(sandbox: &Sandbox, keys: impl Into<Keys>, action: &str, parameters: &[(&str, &str)]) -> Option<Answer> {
    let body = form(action, parameters);
    let service = if body.contains("2011-06-15") { "sts" } else { "iam" };
    let signer = signer(&keys.into(), service, "us-east-1");
    let headers = signer.headers("POST", "/", &[("host", "127.0.0.1")], body.as_bytes());
    send(sandbox, "POST", "/", &headers, &body)
}

/// Calls S3.
#[track_caller]
pub fn s3(
    sandbox: &Sandbox,
    keys: impl Into<Keys>,
    region: &str,
    method: &str,
    target: &str,
    more: &[(&str, &str)],
    body: &str,
) -> Answer {
    let mut headers = vec![("host", "127.0.0.1")];
    headers.retain(|_| !more.iter().any(|(name, _)| *name == "host"));
    headers.extend(more);
    let headers = signer(&keys.into(), "s3", region).headers(method, target, &headers, body.as_bytes());
    send(sandbox, method, target, &headers, body).expect("an answer")
}

pub fn trust(principal: &str, condition: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":"sts:AssumeRole","Condition":{condition}}}]}}"#
    )
}

pub fn allow(action: &str, resource: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"{action}","Resource":"{resource}"}}]}}"#
    )
}

pub fn create_role(sandbox: &Sandbox, trust: &str) -> Answer {
    call(sandbox, ADMIN_B, "CreateRole", &[("RoleName", "xacct"), ("AssumeRolePolicyDocument", trust)])
}

pub fn grant(sandbox: &Sandbox) -> Answer {
    let document = allow("sts:AssumeRole", ROLE);
    let parameters = [("UserName", "alice"), ("PolicyName", "xacct"), ("PolicyDocument", &document)];
    call(sandbox, ADMIN_A, "PutUserPolicy", &parameters)
}

pub fn assume(sandbox: &Sandbox, keys: impl Into<Keys>, more: &[(&str, &str)]) -> Answer {
    let mut parameters = vec![("RoleArn", ROLE), ("RoleSessionName", "test")];
    parameters.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
    parameters.extend(more);
    call(sandbox, keys, "AssumeRole", &parameters)
}

/// A sandbox in which alice may assume the role `xacct`, which may do everything on S3.
pub fn linked(condition: &str) -> Sandbox {
    let sandbox = Sandbox::start();
    link(&sandbox, condition);
    sandbox
}

pub fn link(sandbox: &Sandbox, condition: &str) {
    create_role(sandbox, &trust(A, condition)).ok();
    grant(sandbox).ok();
    sandbox.world(|world| world.attach_role_policy(B, "xacct", "arn:aws:iam::aws:policy/AmazonS3FullAccess"));
}
