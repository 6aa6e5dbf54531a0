//! The simulation core for the browser's event loop: a thin binding.
//!
//! Profiles come in as JSON text through the core's one parser; frames go out as one
//! `Float64Array` per series; reports go out as plain objects; every error is a JS `Error` with
//! `name`, `field` and `message`. `tests/api.rs` is the contract with the page.

#[cfg(feature = "lab")]
mod comparison;
#[cfg(feature = "lab")]
mod edge;
mod error;
#[cfg(feature = "export")]
mod export;
mod frame;
mod host;
mod records;
#[cfg(feature = "lab")]
mod replications;
mod run;
#[cfg(feature = "lab")]
mod stairs;
#[cfg(feature = "lab")]
mod sweep;
mod types;
mod work;

use agent_chaos_core::{ENGINE_REVISION, ENGINE_VERSION, Profile, presets, theory, wire};
use agent_chaos_link::{self as link, View};
use js_sys::{Array, Error, Function};
use serde::Serialize;
use wasm_bindgen::prelude::*;

#[cfg(feature = "lab")]
pub use comparison::TheoryComparison;
#[cfg(feature = "lab")]
pub use edge::{Edge, edge_questions};
#[cfg(feature = "export")]
pub use export::Export;
pub use records::{Search, record_names};
#[cfg(feature = "lab")]
pub use replications::Replications;
pub use run::Run;
#[cfg(feature = "lab")]
pub use stairs::Stairs;
#[cfg(feature = "lab")]
pub use sweep::Sweep;

#[wasm_bindgen(start)]
fn start() {
    // A panic is a bug; whoever sees it should at least see where it was.
    std::panic::set_hook(Box::new(|panic| {
        web_sys::console::error_1(&panic.to_string().into())
    }));
}

/// Version of the engine.
#[wasm_bindgen]
#[must_use]
pub fn version() -> String {
    ENGINE_VERSION.to_owned()
}

/// Revision of the engine: goes up whenever digests change on purpose.
#[wasm_bindgen]
#[must_use]
pub fn revision() -> u32 {
    ENGINE_REVISION
}

/// A new seed from the platform's entropy.
///
/// # Errors
///
/// An `Error` named `EntropyError` where the platform has none.
#[wasm_bindgen]
pub fn new_seed() -> Result<u32, JsValue> {
    getrandom::u32().map_err(|error| error::named("EntropyError", &error.to_string()).into())
}

/// The JSON Schema of a profile, as text: types, bounds, defaults and templates. Titles and descriptions
/// are in `profile.schema.json` of the core alone.
#[wasm_bindgen]
#[must_use]
pub fn schema() -> String {
    wire::CHECKED.to_owned()
}

#[derive(Serialize)]
struct PresetInfo {
    group: &'static str,
    name: &'static str,
    title: &'static str,
    summary: &'static str,
    profile: String,
}

/// All presets, in the order of display.
///
/// # Errors
///
/// Never: presets are plain data.
#[wasm_bindgen(unchecked_return_type = "PresetInfo[]")]
pub fn presets() -> Result<JsValue, JsValue> {
    let list: Vec<_> = presets::PRESETS
        .iter()
        .map(|preset| PresetInfo {
            group: preset.group,
            name: preset.name,
            title: preset.title,
            summary: preset.summary,
            profile: wire::to_pretty(&preset.profile()),
        })
        .collect();
    frame::plain(&list)
}

#[derive(Serialize)]
struct ProfileCheck {
    profile: String,
    hash: String,
    estimate: agent_chaos_core::profile::Estimate,
    changed: Vec<wire::Change>,
    settable: Vec<String>,
}

/// Reads a profile; gives its canonical text, its hash, what it will cost, what it changes of the
/// defaults, and which of its fields a timeline may set.
///
/// # Errors
///
/// A `ProfileError` that names the field.
#[wasm_bindgen(unchecked_return_type = "ProfileCheck")]
pub fn check(text: &str) -> Result<JsValue, JsValue> {
    let profile = wire::parse(text).map_err(|error| error::profile(&error))?;
    frame::plain(&ProfileCheck {
        profile: wire::to_pretty(&profile),
        hash: format!("{:016x}", wire::hash(&profile)),
        estimate: profile.estimate(),
        changed: wire::changes(&Profile::default(), &profile),
        settable: wire::settable(&profile),
    })
}

/// The queue over time as the fluid model of the profile has it, at these moments in seconds, which
/// ascend.
///
/// # Errors
///
/// A `ProfileError` that names the field; a `RangeError` for moments that do not ascend from 0.
#[wasm_bindgen(unchecked_return_type = "Fluid")]
pub fn fluid(profile: &str, times: &[f64]) -> Result<JsValue, JsValue> {
    let profile = wire::parse(profile).map_err(|error| error::profile(&error))?;
    let from_zero = times.first().is_none_or(|first| *first >= 0.0);
    let ascend = times.windows(2).all(|pair| pair[0] <= pair[1]);
    if !from_zero || !ascend || times.last().is_some_and(|last| !last.is_finite()) {
        let text =
            "times: found moments in another order, accepted: finite ones that ascend from 0";
        return Err(js_sys::RangeError::new(text).into());
    }
    let predicted = theory::predicted_queue(&profile, times);
    let answer = frame::plain(&Fluid {
        reason: predicted.as_ref().err().map(ToString::to_string),
        about: theory::assumptions(&profile),
        capacity_per_second: f64::from(profile.workers.count) / profile.mean_service_seconds(),
    })?;
    let queue = predicted.map_or(JsValue::NULL, |queue| {
        js_sys::Float64Array::from(queue.as_slice()).into()
    });
    js_sys::Reflect::set(&answer, &"queue".into(), &queue)?;
    Ok(answer)
}

/// The fields in which a profile differs from another, in canonical order: `from` is the value in
/// the first, `to` that in the second.
///
/// # Errors
///
/// A `ProfileError` that names the field.
#[wasm_bindgen(unchecked_return_type = "Change[]")]
pub fn differences(from: &str, to: &str) -> Result<JsValue, JsValue> {
    let [from, to] =
        [from, to].map(|text| wire::parse(text).map_err(|error| error::profile(&error)));
    frame::plain(&wire::changes(&from?, &to?))
}

/// The token of a link to this experiment, to stand after `#`, with how it is to be shown: pairs of a key and
/// a value. What makes too long a link is packed by `pack`.
///
/// # Errors
///
/// A `ProfileError` that names the field; a `LinkError` for the view; what `pack` throws.
#[wasm_bindgen]
pub fn encode_link(
    preset: Option<String>,
    profile: &str,
    digest: Option<String>,
    #[wasm_bindgen(unchecked_param_type = "[string, string][]")] view: &Array,
    #[wasm_bindgen(unchecked_param_type = "(text: string) => string")] pack: &Function,
) -> Result<String, JsValue> {
    let profile = wire::parse(profile).map_err(|error| error::profile(&error))?;
    let (preset, digest) = (preset.as_deref(), digest.as_deref());
    let pairs: Vec<_> = view
        .iter()
        .map(|pair| [0, 1].map(|at| Array::from(&pair).get(at).as_string().unwrap_or_default()))
        .collect();
    let view = View::of(
        pairs
            .iter()
            .map(|[key, value]| (key.as_str(), value.as_str())),
    )
    .map_err(|error| error::link(&error))?;
    link::encode_with(&profile, preset, digest, &view, &|text| {
        let packed = pack.call1(&JsValue::NULL, &text.into())?;
        packed.as_string().ok_or(packed)
    })
}

#[derive(Serialize)]
struct Fluid {
    reason: Option<String>,
    about: String,
    capacity_per_second: f64,
}

#[derive(Serialize)]
struct OpenedLink {
    preset: Option<&'static str>,
    profile: String,
    profile_hash: String,
    expected_digest: Option<String>,
    expected_revision: Option<u32>,
    profile_matches: Option<bool>,
    changed: Vec<wire::Change>,
    view: Vec<[String; 2]>,
}

/// A variant of an experiment, with changes as a link writes them: `workers.count=6~queue.capacity=40`.
/// Gives its profile as text.
///
/// # Errors
///
/// A `LinkError` that says what is wrong.
#[wasm_bindgen]
pub fn vary(profile: &str, changes: &str) -> Result<String, JsValue> {
    let profile = wire::parse(profile).map_err(|error| error::profile(&error))?;
    let varied = link::vary(&profile, changes).map_err(|error| error::link(&error))?;
    Ok(wire::to_pretty(&varied))
}

/// The seed of somebody by this name, where each has a seed of their own.
#[wasm_bindgen]
#[must_use]
pub fn seed_of(name: &str) -> u32 {
    link::seed_of(name)
}

/// Reads a link: a token, or a whole address with one, also as mail and chat mangle it. What is packed in
/// it is unpacked by `unpack`, which throws an `Error` if it cannot be.
///
/// # Errors
///
/// A `LinkError` with its `kind`, and with the `field` if the profile is refused.
#[wasm_bindgen(unchecked_return_type = "OpenedLink")]
pub fn decode_link(
    text: &str,
    #[wasm_bindgen(unchecked_param_type = "(packed: string) => string")] unpack: &Function,
) -> Result<JsValue, JsValue> {
    let unpack = |packed: &str| {
        let text = unpack.call1(&JsValue::NULL, &packed.into());
        text.as_ref()
            .ok()
            .and_then(JsValue::as_string)
            .ok_or_else(|| {
                let thrown = text.unwrap_or_else(|thrown| thrown).dyn_into::<Error>();
                thrown.map_or_else(
                    |_| "it cannot be unpacked".into(),
                    |error| error.message().into(),
                )
            })
    };
    let opened = link::decode_with(text, &unpack).map_err(|error| error::link(&error))?;
    frame::plain(&OpenedLink {
        preset: opened.preset.map(|preset| preset.name),
        profile: wire::to_pretty(&opened.profile),
        profile_hash: format!("{:016x}", wire::hash(&opened.profile)),
        expected_digest: opened
            .expected
            .as_ref()
            .map(|expected| expected.digest.clone()),
        expected_revision: opened.expected.as_ref().map(|expected| expected.revision),
        profile_matches: opened.profile_matches,
        changed: opened.changes,
        view: opened
            .view
            .pairs()
            .iter()
            .map(|(key, value)| [key.clone(), value.clone()])
            .collect(),
    })
}

/// Runs the stages with nobody watching; gives the number of services that ended. There to tell
/// what watching costs, and only in modules that are built for measuring.
///
/// # Errors
///
/// A `ProfileError` that names the field.
#[cfg(feature = "bench")]
#[wasm_bindgen]
pub fn engine_alone(profile: &str) -> Result<f64, JsValue> {
    let profile = wire::parse(profile).map_err(|error| error::profile(&error))?;
    Ok(agent_chaos_core::run_unobserved(&profile).completed as f64)
}
