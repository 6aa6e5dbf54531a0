//! Packs and unpacks the profiles of long links: a module of its own, which a page loads when it meets
//! the first link that is too long to be readable. Most never do.

use agent_chaos_link::packing;
use wasm_bindgen::prelude::*;

/// A text as the packed part of a link.
#[wasm_bindgen]
#[must_use]
pub fn pack(text: &str) -> String {
    packing::pack(text)
}

/// The text in the packed part of a link.
///
/// # Errors
///
/// An `Error` that says what is wrong with it.
#[wasm_bindgen]
pub fn unpack(packed: &str) -> Result<String, JsError> {
    packing::unpack(packed).map_err(JsError::new)
}
