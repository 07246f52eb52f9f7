#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| xacct_fuzz::config(data));
