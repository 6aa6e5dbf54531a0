//! Hostile links: about five thousand of them, always the same ones. Each gives an experiment that is valid, or
//! an error that says what is wrong; none takes long.

use std::panic;
use std::time::{Duration, Instant};

use agent_chaos_core::presets::PRESETS;
use agent_chaos_core::wire;
use agent_chaos_link::{MAX_TEXT, decode};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use miniz_oxide::deflate::compress_to_vec;

/// A link of a few kilobytes is read in well under a millisecond; this is what a test on a busy machine may
/// take for the worst of them. Something that grows with the square of its input takes minutes.
const LONGEST: Duration = Duration::from_secs(20);

/// A small generator of its own: the links must not change when a library does.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..self.below(most)).map(|_| self.next() as u8).collect()
    }
}

const PATHS: &[&str] = &[
    "workers.count",
    "agents.count",
    "queue.capacity",
    "seed",
    "run.duration_seconds",
    "arrivals.rate_per_second",
    "timeline.0.at_seconds",
    "extra_arrivals.0.rate_per_second",
    "timeline.999999999.at_seconds",
    "extra_arrivals.-1",
    "__proto__.polluted",
    "constructor.prototype.x",
    "toString",
    "version",
    "",
    ".",
    "..",
    "a.b.c.d.e.f.g",
    "view",
    "h",
    "workers.service.empirical_ratios",
    "arrivals.replay.rates_per_second",
    "faults.error.base_probability",
];

const VALUES: &[&str] = &[
    "1e999",
    "-1e999",
    "1e308",
    "1e-308",
    "-0",
    "99999999999999999999999999999999",
    "0x10",
    "NaN",
    "Infinity",
    "null",
    "true",
    "\"\"",
    "[]",
    "{}",
    "%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    "<img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    "%00",
    "%FF%FE",
    "%",
    "%2",
    "%zz",
    "%25%32%35",
    "{\"__proto__\":{\"x\":1}}",
    "{\"constructor\":1}",
    "[[[[[[]]]]]]",
    "..%2F..%2Fetc%2Fpasswd",
    "${7*7}",
    "'; DROP TABLE runs; --",
    "\u{202e}abc",
    "٣",
];

const KEYS: &[&str] = &[
    "show",
    "charts",
    "lock",
    "free",
    "ask",
    "seeds",
    "vs",
    "by",
    "answer",
    "__proto__",
    "constructor",
    "onload",
];

fn nested(open: &str, close: &str, depth: usize) -> String {
    format!("{}{}", open.repeat(depth), close.repeat(depth))
}

/// A packed part, its check right.
fn packed(bytes: &[u8]) -> String {
    let mut whole = Vec::new();
    whole.extend_from_slice(&(bytes.len() as u16).to_le_bytes());
    whole.extend_from_slice(&(wire::hash_of(bytes) as u32).to_le_bytes());
    whole.extend(compress_to_vec(bytes, 6));
    format!("v1z.{}", URL_SAFE_NO_PAD.encode(whole))
}

fn good(dice: &mut Dice) -> String {
    let preset = PRESETS[dice.below(PRESETS.len())].name;
    format!(
        "https://example.org/#v1.{preset}~workers.count=6~seed=7~view.show=verdict~view.ask=Why%3F~view.vs=workers.count=7~h=841621f01673"
    )
}

fn hostile(kind: usize, dice: &mut Dice) -> String {
    match kind {
        0 => String::from_utf8_lossy(&dice.bytes(400)).into_owned(),
        1 => format!("v1.{}", String::from_utf8_lossy(&dice.bytes(300))),
        2 => format!("v1z.{}", URL_SAFE_NO_PAD.encode(dice.bytes(300))),
        3 => format!("v1.exp-002~{}={}", dice.pick(PATHS), dice.pick(VALUES)),
        4 => {
            let depth = 1 << dice.below(16);
            let (open, close) = [("[", "]"), ("{\"a\":", "}"), ("%5B", "%5D")][dice.below(3)];
            format!("v1.exp-002~workers={}", nested(open, close, depth))
        }
        5 => {
            let depth = 1 << dice.below(15);
            packed(nested("[", "]", depth).as_bytes())
        }
        6 => {
            // From a hundred kilobytes to ten megabytes, in no more than ten kilobytes.
            let size = 100_000 * (1 + dice.below(100));
            packed(&vec![[0, b' ', b'['][dice.below(3)]; size])
        }
        7 => {
            let count = 1 << dice.below(12);
            let (path, value) = (dice.pick(PATHS), dice.pick(VALUES));
            format!("v1.exp-001{}", format!("~{path}={value}").repeat(count))
        }
        8 => format!("v1.exp-002~view.{}={}", dice.pick(KEYS), dice.pick(VALUES)),
        9 => {
            let (key, value) = (dice.pick(KEYS), dice.pick(PATHS));
            format!(
                "v1.exp-002{}",
                format!("~view.{key}={value}").repeat(1 << dice.below(10))
            )
        }
        10 => {
            let link = good(dice);
            let mut bytes = link.into_bytes();
            for _ in 0..=dice.below(4) {
                let at = dice.below(bytes.len().max(1));
                match dice.below(4) {
                    _ if bytes.is_empty() => bytes.push(b'v'),
                    0 => bytes[at] = dice.next() as u8,
                    1 => drop(bytes.remove(at)),
                    2 => bytes.insert(at, dice.next() as u8),
                    _ => bytes.truncate(at.max(1)),
                }
            }
            String::from_utf8_lossy(&bytes).into_owned()
        }
        11 => {
            let text = format!(
                "{{\"version\": 1, \"{}\": {}}}",
                dice.pick(PATHS),
                dice.pick(VALUES)
            );
            packed(text.as_bytes())
        }
        12 => format!("v1.exp-002~seed={}", "9".repeat(1 << dice.below(17))),
        13 => good(dice).replace(
            '~',
            dice.pick(&["%7E", "%257E", "~~", "&", "#", "\n", "~h=", "%00"]),
        ),
        14 => format!(
            "{}{}",
            dice.pick(&["?", "#", "%23", "&amp;", "<", "=v"])
                .repeat(1 << dice.below(14)),
            good(dice)
        ),
        _ => {
            let piece = dice.pick(&[
                "x",
                "#",
                "=",
                "%23",
                "%",
                "&amp;",
                "~",
                "(",
                "v1",
                "v1.",
                "=v1.exp-002",
            ]);
            let mut long = piece.repeat(MAX_TEXT / piece.len());
            long.push_str(&"x".repeat(MAX_TEXT - long.len() + dice.below(3)));
            long
        }
    }
}

#[test]
fn a_hostile_link_is_a_valid_experiment_or_an_error_that_says_why() {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let (mut opened, mut refused) = (0, 0);
    for number in 0..5_000 {
        // The longest kind is one of a kind; a few of it are enough.
        let kind = if number % 250 == 249 { 15 } else { number % 15 };
        let link = hostile(kind, &mut dice);
        let shown: String = link.chars().take(200).collect();
        let started = Instant::now();
        let read = panic::catch_unwind(|| decode(&link))
            .unwrap_or_else(|_| panic!("number {number} panics: {shown}"));
        let taken = started.elapsed();
        assert!(taken < LONGEST, "number {number} takes {taken:?}: {shown}");
        match read {
            Ok(link) => {
                opened += 1;
                let text = wire::to_text(&link.profile);
                let again = wire::parse(&text);
                assert_eq!(
                    again.as_ref(),
                    Ok(&link.profile),
                    "number {number}: {shown}"
                );
                let bytes: usize = link
                    .view
                    .pairs()
                    .iter()
                    .map(|(key, value)| key.len() + value.len())
                    .sum();
                assert!(bytes < 20_000, "number {number}: {shown}");
            }
            Err(error) => {
                refused += 1;
                let said = error.to_string();
                assert!(
                    said.len() < 20_000 && said.len() > 20,
                    "number {number}: {said}"
                );
                assert!(
                    !said.chars().any(|c| c.is_control() && c != '\n'),
                    "number {number}: {said:?}"
                );
            }
        }
    }
    // Both must be among them, or nothing has been shown.
    assert!(
        opened > 300 && refused > 3_000,
        "{opened} opened, {refused} refused"
    );
}
