//! How a link has its experiment shown: what was put in comes out, whatever stands in it.

use agent_chaos_core::presets;
use agent_chaos_core::{Profile, wire};
use agent_chaos_link::{
    LinkError, MAX_QUESTION, Outcome, View, decode, encode_viewed, packing, seed_of, vary,
};
use proptest::prelude::*;
use serde_json::json;

const DIGEST: &str = "0123456789abcdef";

fn profile() -> Profile {
    presets::find("exp-002").unwrap().profile()
}

fn token(pairs: &[(&str, &str)], digest: Option<&str>) -> String {
    encode_viewed(
        &profile(),
        Some("exp-002"),
        digest,
        &View::of(pairs.iter().copied()).unwrap(),
    )
}

fn pairs_of(link: &str) -> Vec<(String, String)> {
    decode(link)
        .unwrap_or_else(|error| panic!("{link}: {error}"))
        .view
        .pairs()
        .to_vec()
}

#[test]
fn a_view_stands_in_words_before_the_check() {
    let token = token(
        &[
            ("show", "verdict,charts"),
            ("lock", "all"),
            ("free", "workers.count"),
            ("ask", "How many, and why?"),
            ("vs", "workers.count=6~queue.capacity=40"),
        ],
        Some(DIGEST),
    );
    let expected = "v1.exp-002~view.show=verdict,charts~view.lock=all~view.free=workers.count\
        ~view.ask=How%20many%2C%20and%20why%3F~view.vs=workers.count=6,queue.capacity=40~h=";
    assert!(token.starts_with(expected), "{token}");
    assert_eq!(decode(&token).unwrap().outcome(DIGEST), Outcome::Reproduced);
}

#[test]
fn another_view_is_no_other_experiment() {
    let token = token(&[("ask", "Why?")], Some(DIGEST));
    let other = token.replace("Why", "What");
    assert_ne!(token, other);
    assert_eq!(decode(&other).unwrap().outcome(DIGEST), Outcome::Reproduced);
}

#[test]
fn a_packed_link_has_a_view_too() {
    let rates: Vec<f64> = (0..500).map(|n| f64::from(n) + 0.5).collect();
    let long = wire::set(&profile(), "arrivals.replay.rates_per_second", json!(rates)).unwrap();
    let view = View::of([("show", "charts"), ("ask", "Why?")]).unwrap();
    let token = encode_viewed(&long, None, Some(DIGEST), &view);
    assert!(token.starts_with("v1z."));
    let opened = decode(&token).unwrap();
    assert_eq!((&opened.view, &opened.profile), (&view, &long));
    assert_eq!(opened.outcome(DIGEST), Outcome::Reproduced);
    let packed = format!("v1z.{}~seed=7", packing::pack(&wire::to_text(&long)));
    assert_eq!(decode(&packed).unwrap_err().kind(), "malformed");
}

#[test]
fn mangled_views_are_mended() {
    let pairs = [
        ("show", "verdict,charts"),
        ("ask", "100% of them? (a~b = c & d)"),
        (
            "vs",
            "workers.count=6~arrivals.replay.rates_per_second=%5B1%2C2%5D",
        ),
    ];
    let expected: Vec<_> = pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    let token = token(&pairs, Some(DIGEST));
    assert_eq!(pairs_of(&token), expected);
    let every = |text: &str| {
        text.bytes()
            .map(|b| {
                if b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
                    char::from(b).to_string()
                } else {
                    format!("%{b:02X}")
                }
            })
            .collect::<String>()
    };
    let (front, back) = token.split_at(60);
    for mangled in [
        format!("https://example.org/play/%23{token}"),
        format!("https://example.org/play/?x={token}&amp;utm_source=mail"),
        format!(
            "https://links.example.net/?url={}&data=05",
            every(&format!("https://example.org/#{token}"))
        ),
        format!("https://example.org/?{}", every(&token)),
        every(&token),
        every(&every(&token)),
        every(&token).to_lowercase(),
        token.replace('%', "%25"),
        format!("[a link](https://example.org/#{token})"),
        format!("“https://example.org/#{token}”,"),
        format!("> https://example.org/#{front}\r\n> {back}"),
        format!("{}~view.seeds=own", token.replace("~view.seeds=own", "")),
    ] {
        let found = pairs_of(&mangled);
        assert_eq!(found[..expected.len()], expected, "{mangled}");
    }
    // The check is what is cut first, and nothing else is lost with it.
    assert_eq!(pairs_of(&token[..token.len() - 5]), expected);
    assert_eq!(pairs_of(&token[..token.len() - 13]), expected);
}

#[test]
fn what_is_not_accepted_is_said() {
    let refused = |link: &str| {
        let error = decode(link).unwrap_err();
        (error.kind(), error.to_string())
    };
    for (view, words) in [
        ("looks=good", "accepted: show, charts, lock"),
        ("__proto__=x", "accepted: show, charts, lock"),
        ("show=%3Cb%3E", "accepted: words"),
        ("show=", "accepted: words"),
        ("seeds=mine", "accepted: own"),
        ("ask=a~view.ask=b", "at most 1"),
        (
            "vs=seed=1~view.vs=seed=2~view.vs=seed=3~view.vs=seed=4",
            "at most 3",
        ),
        ("vs=workers", "accepted: <path>=<value>"),
        ("ask=%1B%5B2J", "without them"),
        ("ask=%FF", "not UTF-8"),
    ] {
        let (kind, said) = refused(&format!("v1.exp-002~view.{view}"));
        assert_eq!(kind, "view", "{view}");
        assert!(said.contains(words), "{view}: {said}");
    }
    let long = "x".repeat(MAX_QUESTION + 1);
    assert_eq!(refused(&format!("v1.exp-002~view.ask={long}")).0, "view");
    let (kind, said) = refused("v1.exp-002~view.vs=workers.count=0");
    assert_eq!(kind, "profile");
    assert!(said.contains("/workers/count"), "{said}");
    assert!(matches!(
        vary(&profile(), "wrokers.count=3"),
        Err(LinkError::Profile(_))
    ));
}

#[test]
fn the_seed_of_a_name_stays_what_it_is() {
    // Teachers check what was handed in by these: they never change.
    assert_eq!(seed_of("Ada Lovelace"), ADA);
    assert_eq!(seed_of("  ada \t lovelace\n"), ADA);
    assert_ne!(seed_of("1"), seed_of("2"));
}

const ADA: u32 = 1_659_520_518;

/// Lists of words, as of parts and fields.
fn list() -> impl Strategy<Value = String> {
    prop::collection::vec("[a-z][a-z0-9_.]{0,12}", 1..6).prop_map(|words| words.join(","))
}

fn changes() -> impl Strategy<Value = String> {
    let one = prop_oneof![
        (1_u32..99).prop_map(|n| format!("workers.count={n}")),
        (1_u32..99).prop_map(|n| format!("queue.capacity={n}")),
        Just("throttle=null".to_owned()),
        Just("workers.service.empirical_ratios=%5B1.5%2C2%5D".to_owned()),
    ];
    prop::collection::vec(one, 1..4).prop_map(|list| list.join("~"))
}

proptest! {
    #[test]
    fn every_view_comes_back(show in prop::option::of(list()), free in prop::option::of(list()), ask in prop::option::of("[\\PC%~=#&,\n]{0,120}"),
        percents in prop::option::of("[%a2541]{1,9}"), own in any::<bool>(), vs in prop::collection::vec(changes(), 0..4), checked in any::<bool>()) {
        let mut pairs = Vec::new();
        pairs.extend(show.map(|value| ("show", value)));
        pairs.extend(free.map(|value| ("free", value)));
        pairs.extend(ask.map(|value| ("ask", value)));
        pairs.extend(percents.map(|value| ("answer", value)));
        pairs.extend(own.then(|| ("seeds", "own".to_owned())));
        pairs.extend(vs.into_iter().map(|value| ("vs", value)));
        let view = View::of(pairs.iter().map(|(key, value)| (*key, value.as_str()))).unwrap();
        let token = encode_viewed(&profile(), None, checked.then_some(DIGEST), &view);
        prop_assert!(token.ends_with(|c: char| c.is_ascii_alphanumeric()), "{}", token);
        let opened = decode(&token).unwrap();
        prop_assert_eq!(opened.view, view);
        prop_assert_eq!(opened.profile, profile());
    }
}
