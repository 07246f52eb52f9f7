//! Limits for responses, because the server may not be AWS.

use std::pin::Pin;
use std::task::{Context, Poll};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::DateTime;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::date_time::Format;
use http_body::{Body, Frame, SizeHint};

/// The largest response body, in bytes. AWS's largest, a thousand roles with their trust policies, have a few
/// megabytes.
const LONGEST_ANSWER: usize = 16 * 1024 * 1024;

/// The longest text in a response, in bytes: twice the longest ARN.
const LONGEST_TEXT: usize = 4 * 1024;

/// The same for the elements named in [`LONG`], and for bodies that are not XML. AWS's longest texts are policies: 10,240
/// characters, each of which may be percent-encoded.
const LONGEST_LONG_TEXT: usize = 64 * 1024;

/// Endings of the names of elements that hold policies, tokens and AWS's messages about signatures.
const LONG: [&[u8]; 6] = [b"Document", b"Token", b"Message", b"Request", b"Bytes", b"Sign"];

/// The maximum number of pages in a list.
pub(in crate::aws) const MOST_PAGES: usize = 100;

/// The maximum number of items in a list of a user's, group's or role's policies: several times AWS's quotas.
pub(in crate::aws) const MOST_ITEMS: usize = 500;

/// The maximum number of pages of a list of an account's users, of its roles, or of its groups and policies. AWS may return
/// fewer items than a page may have.
pub(in crate::aws) const MOST_DETAIL_PAGES: usize = 150;

/// The maximum number of users, roles, groups and policies of an account together: more than AWS's highest quotas
/// allow.
pub(in crate::aws) const MOST_DETAILS: usize = 50_000;

/// The plausible dates of a server's clock, in seconds since 1970: from 2000 to 2200. The SDK signs with that date, and
/// panics beyond the year 9999.
const PLAUSIBLE_DATES: std::ops::Range<i64> = 946_684_800..7_258_118_400;

/// Returns the response with a limited body, and without an implausible date.
pub(in crate::aws) fn bounded(mut answer: HttpResponse) -> HttpResponse {
    let date = answer.headers().get("date").map(|date| DateTime::from_str(date, Format::HttpDate));
    if date.is_some_and(|date| !date.is_ok_and(|date| PLAUSIBLE_DATES.contains(&date.secs()))) {
        answer.headers_mut().remove("date");
    }
    answer.map(|body| SdkBody::from_body_1_x(Bounded { body, length: 0, text: 0, element: None, is_in_tag: false }))
}

/// A body that ends with an error when it exceeds a limit.
#[derive(Debug)]
struct Bounded {
    body: SdkBody,
    /// The bytes so far.
    length: usize,
    /// The bytes since the last tag started or ended.
    text: usize,
    /// The name of the last element that started.
    element: Option<Vec<u8>>,
    is_in_tag: bool,
}

/// A limit that a response exceeds.
#[derive(Debug, thiserror::Error)]
enum Exceeded {
    #[error("the response is larger than {LONGEST_ANSWER} bytes")]
    Answer,
    #[error("a text in the response is longer than {0} bytes")]
    Text(usize),
}

impl Bounded {
    fn count(&mut self, bytes: &[u8]) -> Result<(), Exceeded> {
        self.length = self.length.saturating_add(bytes.len());
        if self.length > LONGEST_ANSWER {
            return Err(Exceeded::Answer);
        }
        for piece in bytes.split_inclusive(|byte| matches!(byte, b'<' | b'>')) {
            self.text = self.text.saturating_add(piece.len());
            let most = self.longest();
            if self.text > most {
                return Err(Exceeded::Text(most));
            }
            if let (Some(element), true) = (&mut self.element, self.is_in_tag) {
                element.extend_from_slice(piece);
            }
            match piece.last() {
                Some(b'<') => (self.element, self.is_in_tag, self.text) = (Some(Vec::new()), true, 0),
                Some(b'>') => (self.is_in_tag, self.text) = (false, 0),
                _ => {}
            }
        }
        Ok(())
    }

    fn longest(&self) -> usize {
        let is_short = self.element.as_ref().is_some_and(|tag| {
            let name = tag.split(|byte| matches!(byte, b' ' | b'>')).next().unwrap_or_default();
            !LONG.iter().any(|end| name.ends_with(end))
        });
        if is_short { LONGEST_TEXT } else { LONGEST_LONG_TEXT }
    }
}

impl Body for Bounded {
    type Data = <SdkBody as Body>::Data;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(context));
        let excess = frame.as_ref().and_then(|frame| self.count(frame.as_ref().ok()?.data_ref()?).err());
        Poll::Ready(match excess {
            Some(excess) => Some(Err(excess.into())),
            None => frame,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        Body::size_hint(&self.body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a body that comes in pieces of this size is taken.
    fn is_taken(body: &str, size: usize) -> bool {
        let mut bounded = Bounded { body: SdkBody::empty(), length: 0, text: 0, element: None, is_in_tag: false };
        body.as_bytes().chunks(size).all(|piece| bounded.count(piece).is_ok())
    }

    #[test]
    fn what_is_long_by_nature_may_be_long_and_nothing_else() {
        let long = "a".repeat(40_000);
        for size in [1, 7, 100_000] {
            for name in ["PolicyDocument", "AssumeRolePolicyDocument", "Document", "SessionToken", "Message"] {
                assert!(is_taken(&format!("<R><{name}>{long}</{name}><Arn>a</Arn></R>"), size), "{name}");
            }
            for name in ["Arn", "UserName", "member", "Code"] {
                assert!(!is_taken(&format!("<R><{name}>{long}</{name}></R>"), size), "{name}");
            }
            assert!(!is_taken(&format!("<R><Document>a</Document><Arn>{long}</Arn></R>"), size));
            assert!(!is_taken(&format!("<R {long}>"), size));
            // What is not XML.
            assert!(is_taken(&format!("{{\"accessToken\": \"{long}\"}}"), size));
        }
        assert!(!is_taken(&format!("<Document>{}", "a".repeat(70_000)), 1000));
        assert!(!is_taken(&"<a/>".repeat(LONGEST_ANSWER / 4 + 1), 1_000_000));
    }
}
