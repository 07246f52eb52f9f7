//! The server's clocks: one for expiries and codes, one for signatures.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

const SECONDS: &[BorrowedFormatItem<'static>] = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
const MILLISECONDS: &[BorrowedFormatItem<'static>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
const BASIC: &[BorrowedFormatItem<'static>] = format_description!("[year][month][day]T[hour][minute][second]Z");
const HTTP: &[BorrowedFormatItem<'static>] =
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");

/// The server's time.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    advanced_ms: AtomicI64,
    skew_ms: i64,
}

impl Clock {
    /// Returns a clock that is ahead of this machine's by `skew_seconds`.
    pub(crate) fn skewed(skew_seconds: i64) -> Self {
        Clock { advanced_ms: AtomicI64::new(0), skew_ms: skew_seconds * 1000 }
    }

    /// Returns the time for sessions, expiries, codes and propagation, which `advance` moves too.
    pub(crate) fn now(&self) -> OffsetDateTime {
        self.wall() + time::Duration::milliseconds(self.advanced_ms.load(Ordering::Relaxed))
    }

    /// Returns the time for signatures and the `Date` header, which the skew moves.
    pub(crate) fn wall(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc() + time::Duration::milliseconds(self.skew_ms)
    }

    pub(crate) fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.advanced_ms.fetch_add(by, Ordering::Relaxed);
    }
}

fn write(at: OffsetDateTime, format: &[BorrowedFormatItem<'_>]) -> String {
    // Writing to a String cannot fail.
    at.format(format).unwrap_or_default()
}

/// `2026-01-31T12:00:00Z`, as IAM and STS write times.
pub(crate) fn iso8601(at: OffsetDateTime) -> String {
    write(at, SECONDS)
}

/// `2026-01-31T12:00:00.000Z`, as S3 writes times.
pub(crate) fn iso8601_millis(at: OffsetDateTime) -> String {
    write(at, MILLISECONDS)
}

/// `20260131T120000Z`, as SigV4 writes times.
pub(crate) fn basic(at: OffsetDateTime) -> String {
    write(at, BASIC)
}

/// `Sat, 31 Jan 2026 12:00:00 GMT`, as HTTP writes times.
pub(crate) fn http_date(at: OffsetDateTime) -> String {
    write(at, HTTP)
}

/// Parses a time in the format of SigV4.
pub(crate) fn parse_basic(text: &str) -> Option<OffsetDateTime> {
    time::PrimitiveDateTime::parse(text, BASIC).ok().map(time::PrimitiveDateTime::assume_utc)
}
