//! What is kept of the event stream agrees with the whole of it.

mod support;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use agent_chaos_core::event::{Event, Fact};
use agent_chaos_core::records::life::Phase;
use agent_chaos_core::records::{
    Filter, KINDS, Kind, Life, Record, Records, Replay, SLOWEST, Selection, Word,
};
use agent_chaos_core::request::FailureMode;
use agent_chaos_core::units::{Instant, Span};
use agent_chaos_core::{Limit, Observer, Profile, Run};
use serde_json::Value;
use support::{preset, profile, random_profile, short_presets};

/// A run with everything that was seen of it.
struct Seen {
    profile: Profile,
    run: Run,
    stream: Vec<Value>,
    /// Service time behind the answer that counted, by request.
    useful: BTreeMap<u64, Span>,
}

/// Runs it up to a moment with a ring of so many records.
fn see_until(profile: &Profile, most: usize, until: Instant) -> Seen {
    let all = Rc::new(RefCell::new((Vec::new(), BTreeMap::new())));
    let sink = Rc::clone(&all);
    let observer: Observer = Box::new(move |event: &Event<'_>| {
        let (stream, useful) = &mut *sink.borrow_mut();
        stream.push(event.to_json());
        if let Fact::Settled {
            request,
            useful: by,
            ..
        } = event.fact
        {
            useful.insert(request.number, by);
        }
    });
    let mut run = Run::recorded(profile, Some(observer), most);
    run.advance(Limit {
        until,
        ..Limit::NONE
    });
    let (stream, useful) = all.take();
    Seen {
        profile: profile.clone(),
        run,
        stream,
        useful,
    }
}

fn see(profile: &Profile, most: usize) -> Seen {
    let mut seen = see_until(profile, most, Instant::NEVER);
    // Its own part is over; draining may have to be tried yet.
    while !seen.run.advance(Limit::NONE) {}
    assert!(seen.run.is_finished());
    seen
}

impl Seen {
    /// The records of each request in the whole stream.
    fn by_request(&self) -> BTreeMap<u64, Vec<&Value>> {
        let mut lives = BTreeMap::<_, Vec<_>>::new();
        for record in &self.stream {
            if let Some(number) = record["request"].as_u64() {
                lives.entry(number).or_default().push(record);
            }
        }
        lives
    }

    fn read<T>(&self, read: impl FnOnce(&Records) -> T) -> T {
        self.run.with_records(read).expect("this run keeps records")
    }

    fn life(&self, number: u64) -> Option<Life> {
        self.read(|records| records.life(number, &self.profile, self.run.now()))
    }

    fn replayed(&self, number: u64) -> Option<Life> {
        let until = self.read(Records::written);
        let mut replay = Replay::new(&self.profile, number, until, self.run.now());
        while !replay.advance(1000) {}
        replay.life()
    }
}

/// Every kind of profile: the presets, and what chance makes of the schema.
fn profiles() -> impl Iterator<Item = (String, Profile)> {
    let short = short_presets(3_000).map(|(name, mut profile)| {
        profile.run.max_requests = Some(3_000);
        (name.to_owned(), profile)
    });
    short.chain((0..40).map(|seed| {
        let mut profile = random_profile(seed);
        profile.run.max_requests = Some(2_000);
        (format!("random {seed}"), profile)
    }))
}

fn assert_is(record: &Record, json: &Value) {
    assert_eq!(record.kind().name().name, json["event"], "{json}");
    assert_eq!(record.at.seconds(), json["at_seconds"], "{json}");
    assert_eq!(record.request(), json["request"].as_u64(), "{json}");
    assert_eq!(record.agent().map(u64::from), json["agent"].as_u64());
    let attempt = json["attempt"].as_u64().unwrap_or(0);
    assert_eq!(u64::from(record.attempt()), attempt, "{json}");
    // Who ends a service has begun it.
    if record.kind() != Kind::Completed {
        let worker = record.worker().map(u64::from);
        assert_eq!(worker, json["worker"].as_u64(), "{json}");
    }
    let waiting = record.waiting().map(u64::from);
    assert_eq!(waiting, json["queue_length"].as_u64(), "{json}");
    let sends = record.sends().map(u64::from);
    assert_eq!(sends, json["attempts"].as_u64(), "{json}");
    let word = record.word().name().name;
    let said = ["error.type", "outcome", "class", "sending", "leg", "reason"];
    for field in said.into_iter().filter(|&field| json[field].is_string()) {
        assert_eq!(word, json[field], "{json}");
    }
    if json["to"].is_string() {
        assert_eq!(word, json["to"], "{json}");
    }
    if record.kind() == Kind::Fault && json["fault"] != "downstream" {
        assert_eq!(word, json["fault"], "{json}");
    }
    for field in ["seconds", "latency_seconds", "throttle_delay_seconds"] {
        if let Some(seconds) = json[field].as_f64() {
            assert_eq!(record.span().map(Span::seconds), Some(seconds), "{json}");
        }
    }
    assert!(!record.kind().name().words.is_empty());
    let what = record.what();
    assert!(!what.contains("4294967295"), "{json}: {what}");
}

#[test]
fn the_ring_has_the_latest_of_the_stream() {
    for (name, profile) in profiles() {
        for most in [1, 1000, 100_000] {
            let seen = see(&profile, most);
            let (written, oldest) = seen.read(|records| (records.written(), records.oldest()));
            assert_eq!(written, seen.stream.len() as u64, "{name}");
            assert_eq!(written, seen.run.counts().events(), "{name}");
            let kept = oldest..written;
            assert_eq!(kept.clone().count(), most.min(seen.stream.len()), "{name}");
            for sequence in kept {
                let record = seen.read(|records| records.at(sequence));
                assert_is(&record, &seen.stream[sequence as usize]);
            }
            let occurred = seen.read(Records::occurred);
            let names: std::collections::BTreeSet<_> = seen
                .stream
                .iter()
                .filter_map(|record| record["event"].as_str())
                .collect();
            for (index, kind) in KINDS.iter().enumerate() {
                let occurred = occurred >> index & 1 == 1;
                assert_eq!(occurred, names.contains(kind.name), "{name}");
            }
        }
    }
}

#[test]
fn watching_changes_nothing() {
    for (name, profile) in short_presets(3_000) {
        let seen = see(&profile, 100);
        assert_eq!(seen.run.report(), Run::new(&profile).finish(), "{name}");
    }
}

#[test]
fn a_life_has_every_record_and_adds_up() {
    for (name, profile) in profiles() {
        let seen = see(&profile, 100_000);
        let mut phases = std::collections::BTreeSet::new();
        for (number, expected) in seen.by_request() {
            let name = format!("{name}, request {number}");
            let life = seen.life(number).unwrap_or_else(|| panic!("{name}"));
            assert_eq!(life.steps.len(), expected.len(), "{name}");
            for (step, json) in life.steps.iter().zip(&expected) {
                assert_is(step, json);
            }
            let total: u64 = life.split.iter().map(|span| span.nanos()).sum();
            assert_eq!(total, life.took.nanos(), "{name}: {life:#?}");
            let ending = if profile.has_clients() {
                &["REQUEST_SETTLED"] as &[_]
            } else {
                &[
                    "REQUEST_COMPLETED",
                    "QUEUE_THROTTLED",
                    "REQUEST_REMOVED",
                    "REQUEST_LOST",
                ]
            };
            let end = expected.iter().find(|json| {
                json["event"]
                    .as_str()
                    .is_some_and(|one| ending.contains(&one))
            });
            let end = end.unwrap_or_else(|| {
                panic!("{name}: every request of a run that has finished has ended")
            });
            assert_eq!(life.ended.map(Instant::seconds), end["at_seconds"].as_f64());
            if let Some(outcome) = end["outcome"].as_str() {
                assert_eq!(life.outcome.name().name, outcome, "{name}");
            }
            if let Some(latency) = end["latency_seconds"].as_f64() {
                assert_eq!(life.took.seconds(), latency, "{name}");
            }
            assert_eq!(
                life.sends.map(u64::from),
                end["attempts"].as_u64(),
                "{name}"
            );
            for attempt in &life.attempts {
                for pair in attempt.segments.windows(2) {
                    assert!(pair[0].to <= pair[1].from, "{name}: {attempt:?}");
                }
                let is_open = attempt.ended.is_none();
                assert!(!is_open, "{name}: {attempt:?}");
                let within = attempt.segments.iter().all(|segment| {
                    segment.from >= attempt.from
                        && segment.from < segment.to
                        && (segment.in_vain == (Some(segment.from) >= attempt.ended))
                });
                assert!(within, "{name}: {attempt:?}");
                phases.extend(attempt.segments.iter().map(|one| one.phase as u8));
            }
            check_service(&name, &seen, &life, number);
            if !profile.has_clients() {
                check_plain(&name, &life, &expected);
            }
        }
    }
}

/// The service behind the answer that counted is what the clients say it was.
fn check_service(name: &str, seen: &Seen, life: &Life, number: u64) {
    let Some(useful) = seen.useful.get(&number) else {
        return;
    };
    let good = Word::mode(FailureMode::NominalOperation);
    let counted = life
        .attempts
        .iter()
        .find(|attempt| attempt.end == Some(Kind::Answered) && attempt.outcome == good);
    let served = counted.map_or(0, |attempt| {
        let service = attempt
            .segments
            .iter()
            .filter(|one| one.phase == Phase::Service);
        let served: u64 = service.map(|one| (one.to - one.from).nanos()).sum();
        served - attempt.paused.nanos()
    });
    assert_eq!(served, useful.nanos(), "{name}: {life:#?}");
}

/// Without clients: the entrance, the queue and the service, one after the other.
fn check_plain(name: &str, life: &Life, expected: &[&Value]) {
    let at = |event: &str| {
        let found = expected.iter().find(|json| json["event"] == event);
        found.and_then(|json| json["at_seconds"].as_f64())
    };
    let ended = life.ended.expect("it has ended").seconds();
    let between = |from: Option<f64>, to: Option<f64>| match (from, to) {
        (Some(from), to) => to.unwrap_or(ended) - from,
        _ => 0.0,
    };
    let entrance = between(at("SENDER_BLOCKED"), at("REQUEST_ADMITTED"));
    let queue = between(at("REQUEST_ADMITTED"), at("REQUEST_STARTED"));
    let service = between(at("REQUEST_STARTED"), None);
    for (phase, seconds) in [
        (Phase::Entrance, entrance),
        (Phase::Queue, queue),
        (Phase::Service, service),
    ] {
        let found = life.split[phase as usize].seconds();
        assert!(
            (found - seconds).abs() < 2e-9,
            "{name}: {phase:?} {found} {seconds}"
        );
    }
}

#[test]
fn a_replay_finds_the_life_that_the_ring_has_forgotten() {
    for (name, profile) in profiles() {
        let whole = see_until(&profile, 100_000, Instant::from_seconds(9.0));
        let short = see_until(&profile, 5, Instant::from_seconds(9.0));
        let numbers: Vec<_> = whole.by_request().into_keys().collect();
        let mut forgotten = 0;
        for &number in numbers.iter().step_by(numbers.len() / 12 + 1) {
            let expected = whole.life(number);
            assert!(expected.is_some(), "{name}, request {number}");
            forgotten += usize::from(short.life(number).is_none());
            assert_eq!(short.replayed(number), expected, "{name}, request {number}");
        }
        // The slowest are on hand whatever the ring has forgotten.
        assert!(forgotten > 0 || numbers.len() <= 2 * SLOWEST, "{name}");
        let never = numbers.last().map_or(0, |last| last + 1);
        assert_eq!(whole.life(never), None, "{name}");
        assert_eq!(whole.replayed(never), None, "{name}");
    }
}

#[test]
fn the_slowest_are_the_slowest_and_their_lives_are_on_hand() {
    for (name, profile) in profiles() {
        let seen = see(&profile, 2_000);
        let mut ends = Vec::new();
        for (number, life) in seen.by_request() {
            let created = life[0]["at_seconds"].as_f64().expect("a time");
            let end = life.iter().position(|json| {
                let event = json["event"].as_str().unwrap_or_default();
                if profile.has_clients() {
                    event == "REQUEST_SETTLED"
                } else {
                    ["REQUEST_COMPLETED", "REQUEST_REMOVED", "REQUEST_LOST"].contains(&event)
                }
            });
            if let Some(end) = end {
                let ended = life[end]["at_seconds"].as_f64().expect("a time");
                ends.push((number, ended - created));
            }
        }
        ends.sort_by(|a, b| b.1.total_cmp(&a.1));
        let slowest = seen.read(|records| records.slowest(&profile, seen.run.now()));
        assert_eq!(slowest.len(), ends.len().min(SLOWEST), "{name}");
        for (slow, (_, expected)) in slowest.iter().zip(&ends) {
            let (number, took, life) = (&slow.request, slow.took, &slow.life);
            if let Some(life) = life {
                assert_eq!(slow.sends, life.sends, "{name}: {number}");
            }
            assert!((took.seconds() - expected).abs() < 2e-9, "{name}: {number}");
            let own = ends.iter().find(|(one, _)| one == number);
            let own = own.expect("it has ended").1;
            assert!((own - expected).abs() < 2e-9, "{name}: {number}");
            if let Some(life) = life {
                let whole = seen.replayed(*number);
                assert_eq!(Some(life), whole.as_ref(), "{name}: {number}");
            }
        }
        // Where a life is no longer than a quarter of the ring, nothing of it is lost.
        let mut places = BTreeMap::<_, (usize, usize)>::new();
        for (place, json) in seen.stream.iter().enumerate() {
            if let Some(number) = json["request"].as_u64() {
                places.entry(number).or_insert((place, place)).1 = place;
            }
        }
        let longest = places.values().map(|(from, to)| to - from).max();
        if seen.stream.len() < 12_000 && longest.unwrap_or(0) < 500 {
            let on_hand = slowest.iter().filter(|slow| slow.life.is_some()).count();
            assert_eq!(on_hand, slowest.len(), "{name}");
        }
    }
}

#[test]
fn a_filter_finds_what_a_search_of_the_whole_finds() {
    let storm = preset("retry-storm", 1);
    let control = preset("exp-002", 1);
    let game = preset("game-day", 1);
    for profile in [storm, control, game] {
        let whole = see_until(&profile, 50_000, Instant::from_seconds(40.0));
        let filters = [
            Filter::default(),
            Filter {
                kinds: Kind::Created.bit() | Kind::Workers.bit(),
                ..Filter::default()
            },
            Filter {
                request: Some(
                    whole
                        .stream
                        .last()
                        .and_then(|json| json["request"].as_u64())
                        .unwrap_or(1),
                ),
                ..Filter::default()
            },
            Filter {
                agent: Some(3),
                failures: true,
                ..Filter::default()
            },
            Filter {
                failures: true,
                ..Filter::default()
            },
            Filter {
                text: " Overflow ".to_owned(),
                ..Filter::default()
            },
            Filter {
                text: "stable".to_owned(),
                ..Filter::default()
            },
            Filter {
                text: "no such word".to_owned(),
                ..Filter::default()
            },
        ];
        for filter in filters {
            // Followed as the run goes on, the list is what it is when it is made at the end.
            let mut run = Run::recorded(&profile, None, 50_000);
            let mut followed = Selection::new(filter.clone());
            for step in 1..=40 {
                run.advance(Limit {
                    until: Instant::from_seconds(f64::from(step)),
                    ..Limit::NONE
                });
                run.with_records(|records| followed.follow(records));
            }
            let mut made = Selection::new(filter.clone());
            run.with_records(|records| made.follow(records));
            let rows: Vec<_> = made.rows(0, usize::MAX).collect();
            assert_eq!(followed.rows(0, usize::MAX).collect::<Vec<_>>(), rows);

            let text = filter.text.trim().to_lowercase();
            let read = |sequence| {
                run.with_records(|records| records.at(sequence))
                    .expect("it is kept")
            };
            let kept = run.with_records(|records| records.oldest()..records.written());
            let expected: Vec<_> = kept
                .expect("this run keeps records")
                .filter(|&sequence| {
                    let json = &whole.stream[sequence as usize];
                    let record = read(sequence);
                    let says = [
                        json["event"].clone(),
                        json["error.type"].clone(),
                        json["outcome"].clone(),
                        json["from"].clone(),
                        json["to"].clone(),
                    ];
                    let in_names = says.iter().any(|one| {
                        one.as_str()
                            .is_some_and(|one| one.to_lowercase().contains(&text))
                    });
                    let words = format!("{} {}", record.kind().name().words, record.what());
                    (filter.kinds == 0 || filter.kinds & record.kind().bit() != 0)
                        && (filter.request.is_none() || filter.request == json["request"].as_u64())
                        && (filter.agent.is_none()
                            || filter.agent.map(u64::from) == json["agent"].as_u64())
                        && (!filter.failures || fails(json))
                        && (in_names || words.to_lowercase().contains(&text))
                })
                .collect();
            assert_eq!(rows, expected, "{filter:?}");
            assert_eq!(made.len(), rows.len());
            if let Some(&middle) = rows.get(rows.len() / 2) {
                assert_eq!(made.before(middle), rows.len() / 2);
                assert_eq!(
                    made.rows(rows.len() / 2, rows.len() / 2 + 1).next(),
                    Some(middle)
                );
            }
            assert_eq!(made.rows(rows.len(), rows.len() + 5).count(), 0);
        }
    }
}

fn fails(json: &Value) -> bool {
    let bad = |field: &str| {
        json[field]
            .as_str()
            .is_some_and(|one| one != "NOMINAL_OPERATION")
    };
    match json["event"].as_str().unwrap_or_default() {
        "QUEUE_THROTTLED" | "ATTEMPT_REFUSED" | "ATTEMPT_DROPPED" | "ATTEMPT_TIMED_OUT"
        | "REQUEST_REMOVED" | "REQUEST_LOST" => true,
        "REQUEST_COMPLETED" | "REQUEST_SETTLED" | "ATTEMPT_ANSWERED" => bad("outcome"),
        "FAULT_INJECTED" => json["fault"] == "error" || json["fault"] == "downstream",
        _ => false,
    }
}

#[test]
fn a_life_under_way_is_told_as_far_as_it_is_known() {
    let profile = profile(
        r#"{"version": 1, "run": {"duration_seconds": 20, "warmup_seconds": 1}, "agents": null,
            "arrivals": {"rate_per_second": 50}, "queue": {"capacity": null, "early_drop": null},
            "workers": {"count": 1, "service": {"distribution": "deterministic", "base_seconds": 1, "per_weight_seconds": 0}}}"#,
    );
    let seen = see_until(&profile, 10_000, Instant::from_seconds(5.0));
    let waits = seen.life(100).expect("it has been created");
    assert_eq!((waits.ended, waits.is_over), (None, false));
    assert_eq!(waits.took, seen.run.now() - waits.created);
    assert_eq!(waits.split[Phase::Queue as usize], waits.took);
    assert!(
        waits.words.contains("waiting in the queue"),
        "{}",
        waits.words
    );
    let served = seen
        .by_request()
        .into_iter()
        .find(|(_, life)| {
            life.last()
                .is_some_and(|json| json["event"] == "REQUEST_STARTED")
        })
        .expect("one is served");
    let served = seen.life(served.0).expect("it is on hand");
    assert!(served.words.contains("in service"), "{}", served.words);
}
