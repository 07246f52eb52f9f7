//! What an answer may hold at most, and what is plausible in it: whoever answers may not be AWS.

use std::pin::Pin;
use std::task::{Context, Poll};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::DateTime;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::date_time::Format;
use http_body::{Body, Frame, SizeHint};

/// How long an answer may be, in bytes. The longest of AWS's, a thousand roles with their trust policies, have some
/// megabytes.
const LONGEST_ANSWER: usize = 16 * 1024 * 1024;

/// How long a text in an answer may be, in bytes. The longest of AWS's are policies: 10,240 characters, each of which may
/// be percent-encoded.
const LONGEST_TEXT: usize = 64 * 1024;

/// How many pages a list may have.
pub(in crate::aws) const MOST_PAGES: usize = 100;

/// How many items a list of what a user, group or role has may hold: some times AWS's quotas.
pub(in crate::aws) const MOST_ITEMS: usize = 500;

/// The dates that a server's clock may show: from 2000 to 2200, in seconds. The SDK signs by it, and panics beyond 9999.
const PLAUSIBLE_DATES: std::ops::Range<i64> = 946_684_800..7_258_118_400;

/// Returns the answer, with a limit for its body, and without a date that cannot be.
pub(in crate::aws) fn bounded(mut answer: HttpResponse) -> HttpResponse {
    let date = answer.headers().get("date").map(|date| DateTime::from_str(date, Format::HttpDate));
    if date.is_some_and(|date| !date.is_ok_and(|date| PLAUSIBLE_DATES.contains(&date.secs()))) {
        answer.headers_mut().remove("date");
    }
    answer.map(|body| SdkBody::from_body_1_x(Bounded { body, length: 0, text: 0 }))
}

/// A body that ends with an error once it is too long.
#[derive(Debug)]
struct Bounded {
    body: SdkBody,
    /// How much there was of it so far.
    length: usize,
    /// How much of that since the last tag began.
    text: usize,
}

/// A limit that an answer exceeds.
#[derive(Debug, thiserror::Error)]
enum Exceeded {
    #[error("it has more than {LONGEST_ANSWER} bytes")]
    Answer,
    #[error("a text in it has more than {LONGEST_TEXT} bytes")]
    Text,
}

impl Bounded {
    fn count(&mut self, bytes: &[u8]) -> Result<(), Exceeded> {
        self.length = self.length.saturating_add(bytes.len());
        if self.length > LONGEST_ANSWER {
            return Err(Exceeded::Answer);
        }
        for piece in bytes.split_inclusive(|byte| *byte == b'<') {
            self.text = self.text.saturating_add(piece.len());
            if self.text > LONGEST_TEXT {
                return Err(Exceeded::Text);
            }
            if piece.ends_with(b"<") {
                self.text = 0;
            }
        }
        Ok(())
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
