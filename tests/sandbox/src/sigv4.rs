//! AWS Signature Version 4: what the server checks, and a signer for tests ("AWS General Reference, Signature Version 4").

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode, utf8_percent_encode};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use crate::clock::{basic, parse_basic};
use crate::request::Request;

/// All characters except RFC 3986's unreserved ones.
pub(crate) const STRICT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const STRICT_PATH: &AsciiSet = &STRICT.remove(b'/');

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The parsed `Authorization` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Authorization {
    pub(crate) access_key: String,
    pub(crate) date: String,
    pub(crate) region: String,
    pub(crate) service: String,
    signed_headers: Vec<String>,
    signature: String,
}

impl Authorization {
    /// Parses the header. The error names what is missing, as AWS does.
    pub(crate) fn parse(header: &str) -> Result<Self, String> {
        let fields = header.strip_prefix(ALGORITHM).ok_or("Unsupported Authorization Type")?;
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for field in fields.split(',') {
            match field.trim().split_once('=') {
                Some(("Credential", value)) => credential = Some(value),
                Some(("SignedHeaders", value)) => signed_headers = Some(value),
                Some(("Signature", value)) => signature = Some(value),
                _ => {}
            }
        }
        let missing = |name| format!("Authorization header requires '{name}' parameter.");
        let credential = credential.ok_or_else(|| missing("Credential"))?;
        let signature = signature.ok_or_else(|| missing("Signature"))?;
        let signed_headers = signed_headers.ok_or_else(|| missing("SignedHeaders"))?;
        let parts: Vec<&str> = credential.split('/').collect();
        let [access_key, date, region, service, "aws4_request"] = parts[..] else {
            return Err(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got \
                 '{credential}'"
            ));
        };
        Ok(Authorization {
            access_key: access_key.to_owned(),
            date: date.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
            signed_headers: signed_headers.split(';').map(str::to_owned).collect(),
            signature: signature.to_owned(),
        })
    }

    /// Returns whether the signature matches this request and `secret`.
    pub(crate) fn verifies(&self, request: &Request, secret: &str) -> bool {
        let Some(time) = request_time_text(request) else {
            return false;
        };
        // A request whose signature does not cover the host could be replayed to another host, so AWS requires it.
        if !self.signed_headers.iter().any(|name| name == "host") {
            return false;
        }
        let payload = match request.header("x-amz-content-sha256") {
            Some(hash) => hash.to_owned(),
            None => sha256_hex(&request.body),
        };
        let canonical = canonical_request(request, &self.service, &self.signed_headers, &payload);
        let expected = signature(secret, &time, &self.date, &self.region, &self.service, &canonical);
        expected == self.signature
    }
}

fn request_time_text(request: &Request) -> Option<String> {
    request.header("x-amz-date").map(str::to_owned)
}

/// Returns the time of the signature according to the client.
pub(crate) fn request_time(request: &Request) -> Option<OffsetDateTime> {
    parse_basic(&request_time_text(request)?)
}

/// Returns whether the body matches `x-amz-content-sha256`. The values for streaming and unsigned bodies match any body.
pub(crate) fn payload_matches(request: &Request) -> bool {
    match request.header("x-amz-content-sha256") {
        None | Some("UNSIGNED-PAYLOAD") => true,
        Some(hash) if hash.starts_with("STREAMING-") => true,
        Some(hash) => hash.eq_ignore_ascii_case(&sha256_hex(&request.body)),
    }
}

/// Returns the body without `aws-chunked` framing, with which SDKs append a checksum; `None` if the framing is invalid.
pub(crate) fn unchunked_body(request: &Request) -> Option<Bytes> {
    let chunked = request.header("x-amz-content-sha256").is_some_and(|hash| hash.starts_with("STREAMING-"))
        || request.header("content-encoding").is_some_and(|encoding| encoding.contains("aws-chunked"));
    if !chunked {
        return Some(request.body.clone());
    }
    let mut rest: &[u8] = &request.body;
    let mut body = Vec::new();
    loop {
        let line_end = rest.windows(2).position(|window| window == b"\r\n")?;
        let line = std::str::from_utf8(&rest[..line_end]).ok()?;
        let size = line.split(';').next().unwrap_or_default();
        let size = usize::from_str_radix(size.trim(), 16).ok()?;
        rest = &rest[line_end + 2..];
        if size == 0 {
            return Some(Bytes::from(body));
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size + 2..)?;
    }
}

fn canonical_request(request: &Request, service: &str, signed_headers: &[String], payload: &str) -> String {
    // S3 encodes the path once; all other services encode it twice.
    let path = match service {
        "s3" => {
            let raw: Vec<u8> = percent_encoding::percent_decode_str(&request.path).collect();
            percent_encode(&raw, STRICT_PATH).to_string()
        }
        _ => utf8_percent_encode(&request.path, STRICT_PATH).to_string(),
    };
    let mut query: Vec<(String, String)> = request
        .query_parameters()
        .iter()
        .map(|(key, value)| {
            (utf8_percent_encode(key, STRICT).to_string(), utf8_percent_encode(value, STRICT).to_string())
        })
        .collect();
    query.sort();
    let query: Vec<String> = query.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let headers: String = signed_headers
        .iter()
        .map(|name| {
            let values: Vec<String> = request
                .headers
                .get_all(name)
                .iter()
                .map(|value| String::from_utf8_lossy(value.as_bytes()).split_whitespace().collect::<Vec<_>>().join(" "))
                .collect();
            format!("{name}:{}\n", values.join(","))
        })
        .collect();
    format!("{}\n{path}\n{}\n{headers}\n{}\n{payload}", request.method, query.join("&"), signed_headers.join(";"),)
}

fn signature(secret: &str, time: &str, date: &str, region: &str, service: &str, canonical: &str) -> String {
    let scope = format!("{date}/{region}/{service}/aws4_request");
    let to_sign = format!("{ALGORITHM}\n{time}\n{scope}\n{}", sha256_hex(canonical.as_bytes()));
    let mut key = hmac_sha256(format!("AWS4{secret}").as_bytes(), date.as_bytes());
    for part in [region, service, "aws4_request"] {
        key = hmac_sha256(&key, part.as_bytes());
    }
    hex(&hmac_sha256(&key, to_sign.as_bytes()))
}

fn hmac_sha256(key: &[u8], data: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC accepts keys of any length");
    mac.update(data);
    mac.finalize().into_bytes().to_vec()
}

fn sha256_hex(data: &[u8]) -> String {
    hex(&Sha256::digest(data))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Signs requests like an SDK, for tests that send what no SDK sends.
#[derive(Debug, Clone)]
pub struct Signer {
    /// Access key ID.
    pub access_key: String,
    /// Secret access key.
    pub secret_key: String,
    /// Session token, for temporary credentials.
    pub session_token: Option<String>,
    /// Signing region.
    pub region: String,
    /// Signing name of the service: `iam`, `sts`, `s3`.
    pub service: String,
    /// The time of the signature.
    pub time: OffsetDateTime,
}

impl Signer {
    /// Returns the headers to send, including `host` and the given ones. `target` is the percent-encoded path and query.
    pub fn headers(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<(String, String)> {
        let time = basic(self.time);
        let payload = headers
            .iter()
            .find(|(name, _)| *name == "x-amz-content-sha256")
            .map_or_else(|| sha256_hex(body), |(_, hash)| (*hash).to_owned());
        let mut all: Vec<(String, String)> =
            headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), (*value).to_owned())).collect();
        all.push(("x-amz-date".to_owned(), time.clone()));
        if let Some(token) = &self.session_token {
            all.push(("x-amz-security-token".to_owned(), token.clone()));
        }
        if self.service == "s3" && !all.iter().any(|(name, _)| name == "x-amz-content-sha256") {
            all.push(("x-amz-content-sha256".to_owned(), payload.clone()));
        }
        all.sort();
        let signed: Vec<String> = all.iter().map(|(name, _)| name.clone()).collect();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: all
                .iter()
                .filter_map(|(name, value)| {
                    let name = http::HeaderName::from_bytes(name.as_bytes()).ok()?;
                    Some((name, http::HeaderValue::from_str(value).ok()?))
                })
                .collect(),
            body: Bytes::copy_from_slice(body),
        };
        let canonical = canonical_request(&request, &self.service, &signed, &payload);
        let date = &time[..8];
        let signature = signature(&self.secret_key, &time, date, &self.region, &self.service, &canonical);
        all.push((
            "authorization".to_owned(),
            format!(
                "{ALGORITHM} Credential={}/{date}/{}/{}/aws4_request, SignedHeaders={}, Signature={signature}",
                self.access_key,
                self.region,
                self.service,
                signed.join(";"),
            ),
        ));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of AWS's documentation: `GET https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08`.
    #[test]
    fn signature_of_the_documentation() {
        let signer = Signer {
            access_key: "AKIDEXAMPLE".to_owned(),
            secret_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
            session_token: None,
            region: "us-east-1".to_owned(),
            service: "iam".to_owned(),
            time: parse_basic("20150830T123600Z").unwrap(),
        };
        let headers = signer.headers(
            "GET",
            "/?Action=ListUsers&Version=2010-05-08",
            &[("host", "iam.amazonaws.com"), ("content-type", "application/x-www-form-urlencoded; charset=utf-8")],
            b"",
        );
        let authorization = &headers.last().unwrap().1;
        assert!(
            authorization.ends_with("5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"),
            "{authorization}"
        );
    }

    #[test]
    fn incomplete_headers_are_named() {
        let error = Authorization::parse("AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request");
        assert_eq!(error.unwrap_err(), "Authorization header requires 'Signature' parameter.");
        assert!(Authorization::parse("Bearer x").is_err());
        assert!(Authorization::parse("AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=x").is_err());
    }

    #[test]
    fn framing_of_aws_chunked() {
        let request = |body: &'static [u8]| Request {
            method: "PUT".to_owned(),
            path: "/".to_owned(),
            query: String::new(),
            headers: [(
                http::HeaderName::from_static("x-amz-content-sha256"),
                http::HeaderValue::from_static("STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
            )]
            .into_iter()
            .collect(),
            body: Bytes::from_static(body),
        };
        let framed = request(b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n");
        assert_eq!(unchunked_body(&framed).unwrap(), "hello");
        assert_eq!(unchunked_body(&request(b"5\r\nhel")), None);
        assert_eq!(unchunked_body(&request(b"zz\r\n")), None);
    }
}
