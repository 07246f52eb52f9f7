#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| xacct_fuzz::count(xacct_fuzz::config(data)));
libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, most: usize, seed: u32| {
    xacct_fuzz::toml::mutate(data, size, most, seed)
});
