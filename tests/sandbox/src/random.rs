//! Random identifiers in AWS's formats.

/// Returns random bytes. The sandbox needs a machine with a source of randomness.
fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has a source of randomness");
    bytes
}

fn letters<const N: usize>(alphabet: &[u8]) -> String {
    bytes::<N>().iter().map(|byte| char::from(alphabet[usize::from(*byte) % alphabet.len()])).collect()
}

/// A unique ID or access key: a four-letter prefix such as `AROA` and 17 characters ("IAM User Guide, unique identifiers").
pub(crate) fn unique_id(prefix: &str) -> String {
    format!("{prefix}{}", letters::<17>(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"))
}

/// A secret access key: 40 characters.
pub(crate) fn secret_key() -> String {
    letters::<40>(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
}

/// Returns a session token. AWS warns not to assume any length; this one is long enough to break clients that do.
pub(crate) fn session_token() -> String {
    format!("IQoJb3JpZ2luX2VjE{}", letters::<250>(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))
}

/// Returns 16 lower-case hexadecimal digits, as the name of a permission set's role ends.
pub(crate) fn suffix() -> String {
    letters::<16>(b"0123456789abcdef")
}

/// A request ID in the form of a UUID.
pub(crate) fn request_id() -> String {
    let hex: String = bytes::<16>().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
