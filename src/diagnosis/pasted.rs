//! Error messages of other tools, which people paste.

use crate::answers;
use crate::error::AwsAnswer;
use crate::iam::arn::CallerArn;

/// Reads AWS's answer from the message of a tool: of the AWS CLI and boto3, of Terraform and the SDK for Go, of the SDK for
/// Java, of xacct, or AWS's words alone. What the text does not name is what usually gives such an answer. `None` if nothing
/// in it is known.
#[must_use]
pub fn answer(text: &str) -> Option<AwsAnswer> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let of_cli = || {
        let rest = text.split_once("An error occurred (")?.1;
        let (code, rest) = rest.split_once(") when calling the ")?;
        let (operation, rest) = rest.split_once(" operation")?;
        // boto3 adds `(reached max retries: 4)`.
        let rest = rest.strip_prefix(" (").and_then(|rest| rest.split_once(')')).map_or(rest, |(_, rest)| rest);
        Some((operation, code, rest.strip_prefix(": ").unwrap_or(rest)))
    };
    let of_go = || {
        let rest = text.split_once("operation error ")?.1;
        let (operation, rest) = rest.split_once(": ")?.1.split_once(", ")?;
        // S3's answers have a second ID.
        let rest = ["RequestID: ", "HostID: "].into_iter().fold(rest, |rest, name| {
            rest.split_once(name).and_then(|(_, rest)| rest.split_once(", ")).map_or(rest, |(_, it)| it)
        });
        let (code, message) = rest.trim_start_matches("api error ").split_once(": ")?;
        Some((operation, code, message))
    };
    let of_xacct = || {
        let (call, rest) = text.split_once(" returned ")?;
        let (code, message) = rest.split_once(": ")?;
        Some((call.rsplit_once(':')?.1, code, message))
    };
    if let Some((operation, code, message)) = of_cli().or_else(of_go).or_else(of_xacct) {
        let service = service_of(operation);
        // The SDK for Go names the type of the error.
        let short = code.strip_suffix("Exception").unwrap_or(code);
        let is_known = |code: &str| answers::look_up(service, code, message).is_some();
        let code = if is_known(code) { code } else { short };
        return Some(of(service, operation, Some(code), message));
    }
    // The SDK for Java puts the code after the message.
    let (message, details) = text.split_once(" (Service: ").unwrap_or((&text, ""));
    let code = details.split_once("Error Code: ").and_then(|(_, rest)| rest.split([';', ',', ')']).next());
    if let Some(code) = code {
        let service = if details.starts_with("AWSSecurityTokenService") { "sts" } else { "iam" };
        // The reason of a failed change in IAM Identity Center quotes IAM's answer.
        let of_status = answers::look_up("sso-admin", "", &text);
        return Some(match of_status {
            Some(_) => of("sso-admin", "ProvisionPermissionSet", None, &text),
            None => of(service, "", Some(code), message),
        });
    }
    in_words(&text)
}

/// Reads AWS's words without a code.
fn in_words(text: &str) -> Option<AwsAnswer> {
    if let Some((_, rest)) = text.split_once("is not authorized to perform: ") {
        let (service, action) = rest.split_whitespace().next()?.split_once(':')?;
        let (service, operation, code) = match service {
            "sso" => ("sso-admin", action, "AccessDeniedException"),
            // AssumeRole needs this action, too.
            "sts" => ("sts", "AssumeRole", "AccessDenied"),
            service => (service, action, "AccessDenied"),
        };
        let is_status = answers::look_up("sso-admin", "", text).is_some();
        return Some(if is_status {
            of("sso-admin", "ProvisionPermissionSet", None, text)
        } else {
            of(service, operation, Some(code), text)
        });
    }
    let lower = text.to_ascii_lowercase();
    let row = answers::ALL.iter().find(|row| !row.says.is_empty() && lower.contains(row.says))?;
    let service = row.service.name();
    let operation = if service == "sts" { "AssumeRole" } else { "" };
    Some(of(service, operation, Some(row.code).filter(|code| !code.is_empty()), text))
}

/// Returns the caller that the message names.
#[must_use]
pub fn caller(answer: &AwsAnswer) -> Option<CallerArn> {
    let arn = answer.message.as_deref()?.split_once("User: ")?.1.split_whitespace().next()?;
    Some(CallerArn::parse(arn)).filter(|caller| !matches!(caller, CallerArn::Other(_)))
}

fn of(service: &str, operation: &str, code: Option<&str>, message: &str) -> AwsAnswer {
    AwsAnswer {
        service: service.to_owned().into(),
        operation: operation.to_owned().into(),
        code: code.map(str::to_owned),
        message: Some(message.to_owned()),
        request_id: None,
        status: None,
    }
}

/// Returns the service that has this operation.
fn service_of(operation: &str) -> &'static str {
    let is = |parts: &[&str]| parts.iter().any(|part| operation.contains(part));
    match operation {
        _ if is(&["PermissionSet", "AccountAssignment"]) => "sso-admin",
        _ if is(&["Bucket", "Object"]) => "s3",
        "GetCallerIdentity" | "GetSessionToken" | "GetFederationToken" => "sts",
        _ if operation.starts_with("AssumeRole") => "sts",
        _ => "iam",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, String, String, String) {
        let answer = answer(text).expect("an answer");
        let AwsAnswer { service, operation, code, message, .. } = answer;
        (service.into(), operation.into(), code.unwrap_or_default(), message.unwrap_or_default())
    }

    /// However a tool shows one of AWS's answers, its cause is the same.
    #[test]
    fn every_recorded_answer_is_read_from_the_message_of_every_tool() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/principals");
        let mut read = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let case: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            let field = |name: &str| case["answer"][name].as_str().unwrap_or_default();
            let (service, operation, code, words) =
                (field("service"), field("operation"), field("code"), field("message"));
            let recorded = of(service, operation, Some(code), words);
            let mut texts = vec![words.to_owned()];
            if !code.is_empty() {
                texts.push(format!("An error occurred ({code}) when calling the {operation} operation: {words}"));
                let go = "https response error StatusCode: 400, RequestID: 0";
                texts.push(format!("Error: operation error X: {operation}, {go}, api error {code}: {words}"));
                texts.push(format!("Error: operation error X: {operation}, {go}, {code}Exception: {words}"));
            }
            for text in texts {
                let found = answer(&text).unwrap_or_else(|| panic!("{text}"));
                let row = |answer: &AwsAnswer| answer.row().map(|row| (row.meaning, row.cause));
                assert_eq!(row(&found), row(&recorded), "{}: {text}", path.display());
                read += 1;
            }
        }
        assert!(read > 50, "only {read}");
    }

    #[test]
    fn the_messages_of_every_tool_are_read() {
        const WORDS: &str = "User: arn:aws:iam::111111111111:user/alice is not authorized to perform: sts:AssumeRole on \
                             resource: arn:aws:iam::222222222222:role/xacct";
        let expected = ("sts".to_owned(), "AssumeRole".to_owned(), "AccessDenied".to_owned(), WORDS.to_owned());
        for text in [
            WORDS.to_owned(),
            format!("An error occurred (AccessDenied) when calling the AssumeRole operation: {WORDS}"),
            format!(
                "botocore: An error occurred (AccessDenied) when calling the\nAssumeRole operation (reached max retries: 2): {WORDS}"
            ),
            format!(
                "Error: operation error STS: AssumeRole, https response error StatusCode: 403, RequestID: 00000000-0000, api error AccessDenied: {WORDS}"
            ),
            format!("sts:AssumeRole returned AccessDenied: {WORDS}"),
        ] {
            assert_eq!(read(&text), expected, "{text}");
        }
        let s3 = "error checking access to S3 bucket my-state: operation error S3: GetObject, https response error StatusCode: \
                  404, RequestID: 0, HostID: 0/+==, api error NoSuchBucket: The specified bucket does not exist";
        let (service, operation, code, _) = read(s3);
        assert_eq!((&*service, &*operation, &*code), ("s3", "GetObject", "NoSuchBucket"));
        let go = "operation error IAM: PutGroupPolicy, https response error StatusCode: 409, RequestID: 0, LimitExceededException: Maximum policy size of 5120 bytes exceeded for group developers";
        let (service, operation, code, _) = read(go);
        assert_eq!((&*service, &*operation, &*code), ("iam", "PutGroupPolicy", "LimitExceeded"));
        let java = "Cannot exceed quota for PoliciesPerRole: 10 (Service: AmazonIdentityManagement; Status Code: 409; Error Code: LimitExceeded; Request ID: 0)";
        assert_eq!(read(java).2, "LimitExceeded");
        let words = "Received a 404 status error: Not supported policy xacct";
        assert_eq!(read(words), ("sso-admin".to_owned(), "".to_owned(), String::new(), words.to_owned()));
        assert!(answer("no such file").is_none());
    }
}
