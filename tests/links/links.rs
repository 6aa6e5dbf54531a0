//! Links: every form ever shipped opens for ever, whatever mail and chat do to it.

use agent_chaos_core::presets::{self, PRESETS};
use agent_chaos_core::{Profile, wire};
use agent_chaos_link::{LinkError, Outcome, compressed, decode, encode};
use proptest::prelude::*;
use serde_json::{Value, json};

const DIGEST: &str = "0123456789abcdef";

fn exp_002_with_six_workers() -> Profile {
    let profile = presets::find("exp-002").unwrap().profile();
    let profile = wire::set(&profile, "workers.count", json!(6)).unwrap();
    wire::set(&profile, "seed", json!(7)).unwrap()
}

/// One line per link as it was shipped: the hash of its profile, a tab, the link.
#[test]
fn every_form_ever_shipped_still_opens() {
    let shipped = include_str!("shipped-v1.txt");
    let mut read = 0;
    for line in shipped
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("//"))
    {
        let (hash, link) = line.split_once('\t').unwrap();
        let opened = decode(link).unwrap_or_else(|error| panic!("{link}: {error}"));
        assert_eq!(
            format!("{:016x}", wire::hash(&opened.profile)),
            hash,
            "{link}"
        );
        read += 1;
    }
    assert!(read >= 18, "{read}");
}

#[test]
fn a_link_names_the_preset_and_what_differs() {
    let token = encode(&exp_002_with_six_workers(), Some("exp-002"), Some(DIGEST));
    assert!(
        token.starts_with("v1.exp-002~workers.count=6~seed=7~h="),
        "{token}"
    );
    assert!(token.ends_with(&DIGEST[..8]));
    assert_eq!(
        encode(&exp_002_with_six_workers(), None, None),
        "v1.exp-002~workers.count=6~seed=7"
    );
}

#[test]
fn opening_tells_four_cases_apart() {
    let token = encode(&exp_002_with_six_workers(), None, Some(DIGEST));
    let outcome = |link: &str, digest| decode(link).unwrap().outcome(digest);
    assert_eq!(outcome(&token, DIGEST), Outcome::Reproduced);
    assert_eq!(outcome(&token, "ffff456789abcdef"), Outcome::Different);
    assert_eq!(outcome(&token.replace("=6", "=5"), DIGEST), Outcome::Edited);
    assert_eq!(
        outcome(&token[..token.len() - 2], DIGEST),
        Outcome::NotVerified
    );
    assert_eq!(outcome("v1.exp-002~seed=7", DIGEST), Outcome::NotVerified);
}

#[test]
fn what_mail_and_chat_do_is_undone() {
    let token = encode(&exp_002_with_six_workers(), None, Some(DIGEST));
    let expected = exp_002_with_six_workers();
    for mangled in [
        format!("https://example.org/play/#{token}"),
        format!("https://example.org/play/index.html%23{token}"),
        format!("https://example.org/play/?{token}"),
        format!("https://example.org/play/?x={token}&amp;utm_source=mail"),
        format!("https://v1.example.org/v2.html?a=b&c=v3#{token}"),
        format!("https://example.org/play/%2523{token}"),
        format!("<https://example.org/play/#{token}>"),
        format!("(https://example.org/#{token})."),
        format!("https://example.org/#%22{token}%22"),
        format!("https://example.org/#%E2%80%9C({token})%E2%80%9D"),
        format!("  \"{token}\",\n"),
        format!(
            "> https://example.org/#{}\r\n> {}",
            &token[..20],
            &token[20..]
        ),
        token.replace('~', "%7E").replace('=', "%3D"),
        format!("{token}~"),
        format!("{token}_"),
        token[..token.len() - 5].to_owned(),
    ] {
        let opened = decode(&mangled).unwrap_or_else(|error| panic!("{mangled}: {error}"));
        assert_eq!(opened.profile, expected, "{mangled}");
    }
}

#[test]
fn the_compressed_form_opens_and_notices_damage() {
    let profile = exp_002_with_six_workers();
    let token = compressed(&profile);
    assert_eq!(decode(&token).unwrap().profile, profile);
    for at in 4..token.len() {
        let other = if token.as_bytes()[at] == b'A' {
            "B"
        } else {
            "A"
        };
        let damaged = format!("{}{other}{}", &token[..at], &token[at + 1..]);
        // Some bits of deflate mean nothing; what opens all the same is the same experiment.
        match decode(&damaged) {
            Ok(opened) => assert_eq!(opened.profile, profile, "{damaged}"),
            Err(error) => assert_eq!(error.kind(), "malformed", "{damaged}"),
        }
    }
}

#[test]
fn a_long_list_of_rates_fits_into_a_link() {
    let rates: Vec<f64> = (0..10_000).map(|n| f64::from(n * n % 9973) / 7.0).collect();
    let profile = exp_002_with_six_workers();
    let profile = wire::set(&profile, "arrivals.replay.rates_per_second", json!(rates)).unwrap();
    assert!(wire::to_text(&profile).len() > 100_000);
    let opened = decode(&encode(&profile, Some("exp-002"), Some(DIGEST))).unwrap();
    assert_eq!(opened.profile, profile);
    assert_eq!(opened.outcome(DIGEST), Outcome::Reproduced);
}

#[test]
fn errors_say_what_is_wrong() {
    let kind = |link: &str| decode(link).unwrap_err().kind();
    assert_eq!(kind(""), "empty");
    assert_eq!(kind("https://example.org/"), "empty");
    assert_eq!(kind("v2.exp-002"), "newer");
    assert_eq!(kind("v12q.AAAA"), "newer");
    assert_eq!(kind("hello"), "malformed");
    assert_eq!(kind("v1.exp-002~workers"), "malformed");
    assert_eq!(kind("v1z.!!!"), "malformed");
    assert_eq!(kind("v1z.AAAA"), "malformed");
    assert_eq!(kind("v1.exp-009"), "unknown_preset");
    assert_eq!(kind("v1.exp-002~workers.count=-3"), "profile");
    assert_eq!(kind(&"x".repeat(300_000)), "malformed");
    let Err(LinkError::Profile(error)) = decode("v1.exp-002~wrokers.count=3") else {
        panic!("refused")
    };
    assert_eq!(error.first().field, "/wrokers");
}

#[test]
fn a_deflate_bomb_is_refused() {
    assert!(matches!(decode(&bomb()), Err(LinkError::Malformed(_))));
}

/// Ten megabytes of zeros, in ten kilobytes.
fn bomb() -> String {
    use base64::Engine as _;
    let mut bytes = vec![0; 6];
    bytes.extend(miniz_oxide::deflate::compress_to_vec(
        &vec![0; 10_000_000],
        9,
    ));
    format!(
        "v1z.{}",
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
    )
}

/// Random valid settings over the paths of the schema.
fn settings() -> impl Strategy<Value = Vec<(&'static str, Value)>> {
    let one = prop_oneof![
        (1_u32..5000).prop_map(|n| ("agents.count", json!(n))),
        (1_u32..100).prop_map(|n| ("workers.count", json!(n))),
        prop::option::of(1_u32..10_000).prop_map(|n| ("queue.capacity", json!(n))),
        any::<u32>().prop_map(|n| ("seed", json!(n))),
        (0.001..100.0).prop_map(|x: f64| ("agents.think_seconds", json!(x))),
        Just(("queue.when_full", json!("wait"))),
        Just(("throttle", Value::Null)),
        Just(("faults.spike", Value::Null)),
        (0.0..=1.0).prop_map(|x: f64| ("faults.error.base_probability", json!(x))),
        (0.1..9e5).prop_map(|x: f64| ("arrivals.rate_per_second", json!(x))),
        (0.0..9.0).prop_map(|x: f64| ("arrivals.spike.factor", json!(x))),
        prop::collection::vec(0.0..9e5, 1..9)
            .prop_map(|x| ("arrivals.replay.rates_per_second", json!(x))),
        (0_u32..20).prop_map(|n| ("extra_arrivals", json!(vec![json!({}); n as usize]))),
        (0.1..9e3).prop_map(|x: f64| ("extra_arrivals.0.rate_per_second", json!(x))),
        (0.0..9e3)
            .prop_map(|x: f64| ("extra_arrivals.1.ramp.stages.0.target_per_second", json!(x))),
        (0_u8..8).prop_map(|n| ("requests.heavy.priority", json!(n))),
        Just(("workers.service.distribution", json!("exponential"))),
        Just(("workers.service.distribution", json!("lognormal"))),
        (0.1..1e3).prop_map(|x: f64| ("workers.service.scv", json!(x))),
        prop::collection::vec(0.001..1e6, 1..200)
            .prop_map(|list| ("workers.service.empirical_ratios", json!(list))),
        any::<bool>().prop_map(|on| ("detector.enabled", json!(on))),
    ];
    prop::collection::vec(one, 0..8)
}

proptest! {
    #[test]
    fn what_was_put_in_comes_out(index in 0..PRESETS.len(), settings in settings(), named in any::<bool>()) {
        let preset = &PRESETS[index];
        let mut profile = preset.profile();
        for (path, value) in settings {
            profile = wire::set(&profile, path, value).unwrap_or(profile);
        }
        let token = encode(&profile, named.then_some(preset.name), Some(DIGEST));
        prop_assert!(token.ends_with(|c: char| c.is_ascii_alphanumeric()));
        let opened = decode(&token).unwrap();
        prop_assert_eq!(opened.outcome(DIGEST), Outcome::Reproduced);
        prop_assert_eq!(opened.profile, profile.clone());
        let bare = encode(&profile, None, None);
        prop_assert!(bare.ends_with(|c: char| c.is_ascii_alphanumeric()));
        prop_assert_eq!(decode(&bare).unwrap().profile, profile);
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,300}", at in 0_usize..60, with in any::<char>()) {
        let _ = decode(&text);
        let _ = decode(&format!("v1.{text}"));
        let _ = decode(&format!("v1z.{text}"));
        let token = encode(&exp_002_with_six_workers(), None, Some(DIGEST));
        let mutated: String = token.chars().enumerate().map(|(i, c)| if i == at { with } else { c }).collect();
        let _ = decode(&mutated);
    }
}

#[test]
fn a_link_says_which_revision_of_the_engine_gave_its_result() {
    let token = encode(&exp_002_with_six_workers(), Some("exp-002"), Some(DIGEST));
    assert_eq!(decode(&token).unwrap().expected.unwrap().revision, 1);
    let (fields, check) = token.rsplit_once("~h=").unwrap();
    let newer = decode(&format!("{fields}~e=3~h={check}")).unwrap();
    assert_eq!(newer.expected.as_ref().unwrap().revision, 3);
    assert_eq!(newer.profile_matches, Some(true));
    let wrong = decode(&format!("{fields}~e=three~h={check}")).unwrap_err();
    assert!(matches!(&wrong, LinkError::Malformed(why) if why.contains("a whole number")));
}
