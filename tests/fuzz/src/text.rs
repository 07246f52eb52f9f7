//! Mutates text by its structure, and keeps mostly what the parser accepts.
//!
//! What the parser rejects has little to offer to further mutations, yet libFuzzer mutates each result again, and keeps
//! some of them. A valid input in its place leads back to what comes after the parser.

use fastrand::Rng;

/// How many mutations are tried until the parser accepts one.
const TRIES: usize = 8;

/// A mutator for `fuzz_mutator!`. One mutation in sixteen changes bytes, so that the parser is fuzzed, too. `valid` returns
/// any valid input.
pub fn mutate(
    data: &mut [u8],
    size: usize,
    most: usize,
    seed: u32,
    change: impl Fn(&str, &mut Rng) -> Option<String>,
    valid: impl Fn(&mut Rng) -> String,
    is_accepted: impl Fn(&str) -> bool,
) -> usize {
    let mut random = Rng::with_seed(seed.into());
    if random.u8(..16) != 0 {
        let old = data.get(..size).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
        let fits = |text: &String| text.len() <= most && is_accepted(text);
        let text = (0..TRIES).filter_map(|_| change(old, &mut random)).find(fits);
        let text = text.unwrap_or_else(|| valid(&mut random));
        if let Some(place) = data.get_mut(..text.len().min(most))
            && place.len() == text.len()
        {
            place.copy_from_slice(text.as_bytes());
            return text.len();
        }
    }
    libfuzzer_sys::fuzzer_mutate(data, size, most)
}

/// Mutates a text; the fuzzer's dictionary supplies some of the new bytes.
pub fn changed(text: &str, random: &mut Rng) -> String {
    let size = text.len();
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(size + usize::from(random.u8(1..40)), 0);
    let most = bytes.len();
    let size = libfuzzer_sys::fuzzer_mutate(&mut bytes, size, most);
    bytes.truncate(size);
    String::from_utf8_lossy(&bytes).into_owned()
}
