//! Mutates an answer of AWS: the head stays one, and the body stays XML.

use fastrand::Rng;

use crate::text::{self, changed};

/// Mutates an answer; see the property for its form.
pub fn mutate(data: &mut [u8], size: usize, most: usize, seed: u32) -> usize {
    let valid = |random: &mut Rng| (*random.choice(VALID).unwrap_or(&"")).to_owned();
    text::mutate(data, size, most, seed, mutated, valid, has_form)
}

/// Whether this is an answer to the operation: its own element, or an error with a code. HEAD and DELETE have no body.
fn has_form(text: &str) -> bool {
    let Some((head, body)) = text.split_once("\n\n") else { return false };
    let mut lines = head.lines();
    let operation = lines.next().unwrap_or_default();
    let Some(status) = lines.next().and_then(|line| line.trim().parse::<u16>().ok()) else { return false };
    let element = match operation {
        _ if !(200..300).contains(&status) => "<Code>".to_owned(),
        "ListBuckets" => "<ListAllMyBucketsResult".to_owned(),
        _ => format!("<{operation}Response"),
    };
    let is_bodiless = matches!(operation, "HeadBucket" | "DeleteBucket");
    OPERATIONS.contains(&operation) && (is_bodiless || body.contains(&element))
}

fn mutated(text: &str, random: &mut Rng) -> Option<String> {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut head: Vec<_> = head.split('\n').map(str::to_owned).collect();
    let mut body = body.to_owned();
    for _ in 0..random.u8(1..4) {
        match random.u8(..24) {
            0 => *head.first_mut()? = (*random.choice(OPERATIONS)?).to_owned(),
            1 => *head.get_mut(1)? = random.choice([200, 204, 301, 400, 403, 404, 409, 429, 500, 503])?.to_string(),
            2 if head.len() > 2 => {
                let line = random.choice(head.get_mut(2..)?)?;
                *line = changed(line, random);
            }
            3 => head.push((*random.choice(HEADERS)?).to_owned()),
            _ => body = mutated_body(&body, random).unwrap_or(body),
        }
    }
    Some(format!("{}\n\n{body}", head.join("\n")))
}

/// Changes one element or its text.
fn mutated_body(body: &str, random: &mut Rng) -> Option<String> {
    let starts: Vec<_> = body.match_indices('<').map(|(at, _)| at).filter(|at| is_start(body, *at)).collect();
    let start = *random.choice(&starts)?;
    let end = end_of_element(body, start)?;
    let (before, element, after) = (body.get(..start)?, body.get(start..end)?, body.get(end..)?);
    let inner = element.find('>')? + 1;
    let inner_end = element.rfind("</").filter(|end| *end >= inner).unwrap_or(inner);
    Some(match random.u8(..6) {
        0 => format!("{before}{after}"),
        1 => format!("{before}{element}{element}{after}"),
        2 => {
            // In the place of another element, or inside it.
            let other = *random.choice(&starts)?;
            let copy = body.get(other..end_of_element(body, other)?)?;
            format!("{before}{copy}{after}")
        }
        _ => {
            let (open, text, close) =
                (element.get(..inner)?, element.get(inner..inner_end)?, element.get(inner_end..)?);
            if text.contains('<') {
                return None;
            }
            let text = changed(text, random).replace('&', "&amp;").replace('<', "&lt;");
            format!("{before}{open}{text}{close}{after}")
        }
    })
}

fn is_start(body: &str, at: usize) -> bool {
    body.as_bytes().get(at + 1).is_some_and(u8::is_ascii_alphabetic)
}

/// Returns the end of the element that starts here.
fn end_of_element(body: &str, start: usize) -> Option<usize> {
    let rest = body.get(start..)?;
    let name = rest.get(1..rest.find(|c: char| c == '>' || c == '/' || c.is_whitespace())?)?;
    let open_end = rest.find('>')?;
    if rest.get(..open_end)?.ends_with('/') {
        return Some(start + open_end + 1);
    }
    let close = format!("</{name}>");
    Some(start + rest.find(&close)? + close.len())
}

/// Valid answers.
const VALID: &[&str] = &[
    include_str!("../corpus/answers/assume"),
    include_str!("../corpus/answers/assume_denied"),
    include_str!("../corpus/answers/caller"),
    include_str!("../corpus/answers/delete_bucket"),
    include_str!("../corpus/answers/get_policy"),
    include_str!("../corpus/answers/get_role"),
    include_str!("../corpus/answers/get_role_policy"),
    include_str!("../corpus/answers/get_user"),
    include_str!("../corpus/answers/head_bucket"),
    include_str!("../corpus/answers/list_attached"),
    include_str!("../corpus/answers/list_buckets"),
    include_str!("../corpus/answers/list_groups"),
    include_str!("../corpus/answers/list_instance_profiles"),
    include_str!("../corpus/answers/list_mfa_devices"),
    include_str!("../corpus/answers/list_policies"),
    include_str!("../corpus/answers/list_role_policies"),
    include_str!("../corpus/answers/list_roles"),
    include_str!("../corpus/answers/session_token"),
];

const OPERATIONS: &[&str] = &[
    "GetRole",
    "GetUser",
    "ListRoles",
    "ListGroupsForUser",
    "ListInstanceProfilesForRole",
    "ListMFADevices",
    "ListRolePolicies",
    "GetRolePolicy",
    "ListAttachedRolePolicies",
    "GetPolicy",
    "ListPolicies",
    "GetAccountSummary",
    "GetCallerIdentity",
    "AssumeRole",
    "GetSessionToken",
    "HeadBucket",
    "ListBuckets",
    "DeleteBucket",
];

const HEADERS: &[&str] = &[
    "x-amzn-RequestId: 15393b95-c6a6-d85f-b7c6-123456789012",
    "x-amz-bucket-region: us-west-2",
    "Date: Thu, 01 Jan 2026 00:00:00 GMT",
    "Date: Fri, 31 Dec 9999 23:59:59 GMT",
    "Content-Type: text/html",
    "Location: http://169.254.169.254/",
    "Retry-After: 1",
];
