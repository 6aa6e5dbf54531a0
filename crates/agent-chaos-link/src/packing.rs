//! The packed part of a link that is too long to be readable: base64url of the lower 16 bits of the
//! text's length and the lower 32 of its xxh3, both little-endian, and the text, deflated.

use agent_chaos_core::wire;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A profile may inflate to this many bytes at the most: as many as are read at all.
const MAX_INFLATED: usize = wire::MAX_TEXT_BYTES;

/// A text as the packed part of a link.
#[must_use]
pub fn pack(text: &str) -> String {
    let mut bytes = Vec::new();
    bytes.extend_from_slice(&(text.len() as u16).to_le_bytes());
    bytes.extend_from_slice(&(wire::hash_of(text.as_bytes()) as u32).to_le_bytes());
    bytes.extend(miniz_oxide::deflate::compress_to_vec(text.as_bytes(), 9));
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The text in the packed part of a link.
///
/// # Errors
///
/// Says what is wrong with it.
pub fn unpack(packed: &str) -> Result<String, &'static str> {
    let bytes = URL_SAFE_NO_PAD
        .decode(packed)
        .map_err(|_| "its compressed part is damaged or cut")?;
    let (head, deflated) = bytes
        .split_at_checked(6)
        .ok_or("its compressed part is cut")?;
    let text = miniz_oxide::inflate::decompress_to_vec_with_limit(deflated, MAX_INFLATED)
        .map_err(|_| "its compressed part is damaged or cut")?;
    let check = u32::from_le_bytes([head[2], head[3], head[4], head[5]]);
    let length = u16::from_le_bytes([head[0], head[1]]);
    if text.len() as u16 != length || wire::hash_of(&text) as u32 != check {
        return Err("its compressed part is damaged");
    }
    String::from_utf8(text).map_err(|_| "its compressed part is not text")
}
