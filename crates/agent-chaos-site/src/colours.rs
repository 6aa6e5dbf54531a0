//! The colours of the page, so that pictures and pages beside it look as it does.

/// The page's own list of colours and sizes.
pub const TOKENS: &str = include_str!("../../../web/style/tokens.css");

/// A colour of the light theme.
///
/// # Panics
///
/// If the page has no such colour: a test looks for each that is used.
pub fn colour(name: &str) -> &'static str {
    let (_, after) = TOKENS
        .split_once(&format!("--{name}:"))
        .unwrap_or_else(|| panic!("the page has no colour --{name}"));
    after.split(';').next().unwrap_or_default().trim()
}
