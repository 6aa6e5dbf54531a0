//! Errors as the page sees them: a JS `Error` with `name`, `field` and `message`.

use agent_chaos_core::wire::ProfileError;
use agent_chaos_link::LinkError;
use js_sys::{Error, Reflect};
use wasm_bindgen::JsValue;

use crate::frame;

/// An `Error` of this name.
pub fn named(name: &str, message: &str) -> Error {
    let error = Error::new(message);
    error.set_name(name);
    error
}

/// A refused profile, with the first problem's field and the list of all problems.
pub fn profile(refused: &ProfileError) -> JsValue {
    let error = named("ProfileError", &refused.to_string());
    describe(&error, refused);
    error.into()
}

/// A refused link, with its kind; with the field as well if the profile in it was refused.
pub fn link(refused: &LinkError) -> JsValue {
    let error = named("LinkError", &refused.to_string());
    set(&error, "kind", &refused.kind().into());
    if let LinkError::Profile(inner) = refused {
        describe(&error, inner);
    } else {
        set(&error, "field", &"".into());
    }
    error.into()
}

fn describe(error: &Error, refused: &ProfileError) {
    let first = refused.first();
    set(error, "field", &first.field.as_str().into());
    set(error, "found", &first.found.as_str().into());
    set(error, "accepted", &first.accepted.as_str().into());
    if let Ok(problems) = frame::plain(&refused.problems()) {
        set(error, "errors", &problems);
    }
}

fn set(error: &Error, name: &str, value: &JsValue) {
    // Setting a property of a fresh, extensible object cannot fail.
    let _ = Reflect::set(error, &name.into(), value);
}
