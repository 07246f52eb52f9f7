//! S3: the test bucket of a run, and test buckets left behind by interrupted runs.

pub mod leftover_buckets;
pub mod test_bucket;
