use super::*;
use crate::presets;
use crate::run::Run;
use crate::sweep::FIGURES;

fn line(shares: &[(f64, usize)], seeds: usize) -> Vec<Tried> {
    let tried = shares.iter().map(|&(value, yes)| Tried {
        value,
        answers: (0..seeds).map(|seed| seed < yes).collect(),
    });
    tried.collect()
}

/// A search whose runs are not simulated: `tips` says whether a value tips a seed.
fn search(range: [f64; 2], path: &str, tips: impl Fn(f64, u32) -> bool) -> Edge {
    let base = presets::find("exp-002").unwrap().profile();
    let question = Question::WorstState(State::Collapsed);
    let mut search = Search::new(&base, path, range, 1..=10, question).unwrap();
    while let Some(plan) = search.plan() {
        let left = search.runs_left();
        assert!(left >= plan.cells(), "{left}");
        let rows: Vec<_> = plan
            .each_cell()
            .map(|cell| {
                let cell = cell.unwrap();
                let tipped = tips(cell.values[0], cell.seed);
                let mut values = vec![Node::Null; FIGURES.len()];
                let name = if tipped { "COLLAPSED" } else { "STABLE" };
                values[2] = Node::Text(name.into());
                Row {
                    cell: cell.number,
                    values,
                }
            })
            .collect();
        search.tell(&rows).unwrap();
    }
    assert_eq!(search.runs_left(), 0);
    search.edge().unwrap()
}

const COUNT: &str = "agents.count";

#[test]
fn an_edge_between_two_whole_numbers_is_found_to_the_last() {
    let edge = search([1.0, 1000.0], COUNT, |value, _| value >= 313.0);
    let (from, to, above) = (312.0, 313.0, true);
    assert_eq!(edge.place, Place::Between { from, to, above });
    assert!(edge.runs() <= 140, "{}", edge.runs());
    assert!(
        edge.sentence()
            .contains("between agents.count = 312 and 313")
    );
    let falling = search([1.0, 1000.0], COUNT, |value, _| value < 313.0);
    let above = false;
    assert_eq!(falling.place, Place::Between { from, to, above });
}

#[test]
fn an_edge_that_differs_between_seeds_has_an_interval() {
    // The seeds tip at 501, 503, …, 519: half of them at 510 or above.
    for rises in [true, false] {
        let edge = search([1.0, 1000.0], COUNT, |value, seed| {
            (value >= f64::from(499 + 2 * seed)) == rises
        });
        let Place::At {
            value,
            half_width,
            width,
            above,
        } = edge.place
        else {
            panic!("{edge:?}");
        };
        assert_eq!(above, rises);
        // Ten values 2 apart have a standard deviation of 6.06; the median of so many is known to
        // about 1.25 · 6.06 / √10 · t = 5.4, the middle of a curve a little better.
        assert!((value - 510.0).abs() < 2.0, "{value}");
        assert!((3.0..6.5).contains(&half_width), "{half_width}");
        assert!((10.0..30.0).contains(&width), "{width}");
        let side = if rises { "above" } else { "below" };
        let text = edge.sentence();
        assert!(
            text.starts_with(&format!("A run collapses {side} agents.count = 5")),
            "{text}"
        );
    }
}

#[test]
fn what_never_and_what_always_tips_is_said_to() {
    let never = search([1.0, 9.0], COUNT, |_, _| false);
    assert!(matches!(never.place, Place::Never { highest, .. } if highest.count == 0));
    assert!(
        never.sentence().contains("no run collapses"),
        "{}",
        never.sentence()
    );
    // Both ends, and three values between them.
    assert_eq!(never.runs(), 50);
    let always = search([1.0, 9.0], COUNT, |_, _| true);
    assert!(matches!(always.place, Place::Always { lowest, .. } if lowest.count == 10));
    assert!(always.sentence().contains("every run collapses"));
    let seldom = search([1.0, 9.0], COUNT, |value, seed| value > 8.0 && seed < 4);
    assert!(matches!(seldom.place, Place::Never { value: 9.0, highest } if highest.count == 3));
    assert!(
        seldom
            .sentence()
            .contains("never more than half of the runs collapse: 3 of 10")
    );
}

#[test]
fn an_edge_behind_which_it_turns_back_is_told_with_that() {
    let edge = search([0.1, 100.0], "agents.think_seconds", |value, _| value > 1.0);
    assert!(matches!(edge.place, Place::Between { above: true, .. }));
    assert_eq!(edge.back_at, None);
    let island = search([1.0, 1000.0], COUNT, |value, _| {
        (400.0..600.0).contains(&value)
    });
    let (from, to, above) = (399.0, 400.0, true);
    assert_eq!(island.place, Place::Between { from, to, above });
    assert_eq!(island.back_at, Some(750.25_f64.round()));
    assert!(island.sentence().contains("another edge"));
}

#[test]
fn a_field_of_any_number_is_searched_to_a_thousandth_of_the_range() {
    let edge = search([0.1, 2.1], "agents.think_seconds", |value, _| value < 0.7);
    let Place::Between { from, to, above } = edge.place else {
        panic!("{edge:?}");
    };
    assert!(
        !above && from < 0.7 && 0.7 <= to && to - from <= 2.0 / 1024.0,
        "{from} {to}"
    );
}

#[test]
fn chance_alone_is_no_edge() {
    // Above half at one end, below at the other, anything between: by chance.
    let shares = [(1.0, 6), (2.0, 4), (3.0, 6), (4.0, 5), (5.0, 6), (6.0, 4)];
    assert_eq!(Place::of(&line(&shares, 10)), Place::Unclear);
    assert!(
        Place::Unclear
            .sentence("x", Question::NotRecovered)
            .contains("does not recover")
    );
}

#[test]
fn one_mixed_value_is_still_an_interval_and_no_curve() {
    let (from, to, above) = (2.0, 4.0, true);
    let shares = [(1.0, 0), (2.0, 0), (3.0, 4), (4.0, 10)];
    assert_eq!(
        Place::of(&line(&shares, 10)),
        Place::Between { from, to, above }
    );
    let shares = [(1.0, 10), (2.0, 4), (3.0, 0), (4.0, 0)];
    let (from, to, above) = (1.0, 3.0, false);
    assert_eq!(
        Place::of(&line(&shares, 10)),
        Place::Between { from, to, above }
    );
    let shares = [(1.0, 0), (2.0, 3), (3.0, 8), (4.0, 10)];
    assert!(matches!(Place::of(&line(&shares, 10)), Place::At { .. }));
}

#[test]
fn what_cannot_be_searched_is_refused_with_its_field() {
    let base = presets::find("exp-002").unwrap().profile();
    let question = Question::WorstState(State::Collapsed);
    let new = |path, range, seeds| {
        let search = Search::new(&base, path, range, seeds, question);
        search.unwrap_err().first().clone()
    };
    assert_eq!(new("agents", [1.0, 2.0], 1..=9).field, "/agents");
    assert_eq!(new(COUNT, [2.0, 2.0], 1..=9).field, "/agents/count");
    assert_eq!(new(COUNT, [1.0, 9.0], 1..=4).field, "/seed");
    let below = new(COUNT, [0.0, 9.0], 1..=9);
    assert!(below.found.contains("agents.count = 0"), "{below:?}");
    assert_eq!(new(COUNT, [f64::NAN, 9.0], 1..=9).field, "/agents/count");
}

#[test]
fn a_run_without_an_answer_is_no_answer() {
    let mut base = presets::find("exp-002").unwrap().profile();
    base.run.duration_seconds = 12.0;
    base.run.warmup_seconds = 11.0;
    let mut search = Search::new(
        &base,
        COUNT,
        [1.0, 9.0],
        1..=5,
        Question::State(State::Degraded),
    )
    .unwrap();
    let plan = search.plan().unwrap().clone();
    let rows: Vec<_> = plan
        .each_cell()
        .map(|cell| {
            let cell = cell.unwrap();
            plan.row(cell.number, &Run::new(&cell.profile).finish())
        })
        .collect();
    let error = search.tell(&rows).unwrap_err();
    assert!(
        error.first().accepted.contains("200 counted ticks"),
        "{error}"
    );
}

#[test]
fn questions_are_found_by_their_names() {
    for (name, question) in Question::ALL {
        assert_eq!(
            (Question::find(name), question.name()),
            (Some(question), name)
        );
    }
    assert_eq!(Question::find("collapsed"), None);
}
