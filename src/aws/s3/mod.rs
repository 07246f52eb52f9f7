//! S3: the test bucket of a proof, and those that interrupted runs left behind.

pub mod leftover_buckets;
pub mod test_bucket;
