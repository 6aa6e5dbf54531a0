//! Is degradation non-linear, and does the service's feedback hasten collapse? A sweep, and a sentence made
//! from its figures.
//!
//! ```sh
//! cargo run --release -p agent-chaos-cli --example degradation
//! ```
//!
//! EXP-002 over its number of agents, once with the feedback from the queue to the service
//! (`workers.service.slowdown_per_pressure`, 2.8 there) and once without (0). All runs of a seed share their
//! draws, so that with and without are compared within the seed. The rows are those of
//!
//! ```sh
//! agent-chaos sweep exp-002 --vary workers.service.slowdown_per_pressure=0,2.8 \
//!     --vary agents.count=25..400:25 --seeds 1..20 --out degradation.csv
//! ```

use std::process::ExitCode;

use agent_chaos_core::Run;
use agent_chaos_core::detector::State;
use agent_chaos_core::edge::{Place, Question, Tried};
use agent_chaos_core::presets;
use agent_chaos_core::statistics::Moments;
use agent_chaos_core::sweep::{Axis, MOST_CELLS, Plan};
use rayon::iter::{IntoParallelIterator, ParallelIterator};

const FIRST_SEED: u32 = 1;
const LAST_SEED: u32 = 20;

/// What one run came to.
#[derive(Clone, Copy, Debug)]
struct Outcome {
    /// Failed of created, in per cent.
    errors: f64,
    /// The p95, in milliseconds.
    p95: f64,
    collapsed: bool,
}

type Measure = (&'static str, fn(&Outcome) -> f64);

const MEASURES: [Measure; 2] = [("errors", |run| run.errors), ("p95 latency", |run| run.p95)];

/// Outcomes by feedback (without, with), load and seed.
struct Grid {
    loads: Vec<f64>,
    runs: [Vec<Vec<Outcome>>; 2],
}

/// A mean with half the width of its 95 % interval (Student's t over seeds).
#[derive(Clone, Copy, Debug)]
struct Mean {
    mean: f64,
    half: f64,
}

impl Mean {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut moments = Moments::NONE;
        values.for_each(|value| moments.add(value));
        Self {
            mean: moments.mean().unwrap_or(f64::NAN),
            half: moments.half_width().unwrap_or(f64::INFINITY),
        }
    }

    fn is_above_zero(self) -> bool {
        self.mean > self.half
    }

    fn is_not_zero(self) -> bool {
        self.mean.abs() > self.half
    }
}

impl std::fmt::Display for Mean {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2} ± {:.2}", self.mean, self.half)
    }
}

impl Grid {
    fn seeds(&self) -> usize {
        self.runs[0][0].len()
    }

    /// How far the curve of a seed is from the straight line between its ends at a load, in per cent of what
    /// it rises in the mean of all seeds.
    fn departure(&self, feedback: usize, load: usize, seed: usize, of: fn(&Outcome) -> f64) -> f64 {
        let curve = &self.runs[feedback];
        let last = self.loads.len() - 1;
        let along = (self.loads[load] - self.loads[0]) / (self.loads[last] - self.loads[0]);
        let [first, here, end] = [0, load, last].map(|load| of(&curve[load][seed]));
        let rise =
            Mean::of((0..self.seeds()).map(|seed| of(&curve[last][seed]) - of(&curve[0][seed])));
        100.0 * (here - (first + along * (end - first))) / rise.mean.abs()
    }

    /// Where the curve departs most from a straight line, and by how much. The load is chosen by one half of
    /// the seeds and the departure measured by the other, so that the choice does not make it.
    fn bend(&self, feedback: usize, of: fn(&Outcome) -> f64) -> (f64, Mean) {
        let half = |which: usize| (0..self.seeds()).filter(move |seed| seed % 2 == which);
        let at = |load: usize, which: usize| {
            Mean::of(half(which).map(|seed| self.departure(feedback, load, seed, of)))
        };
        let inner = 1..self.loads.len() - 1;
        let most =
            inner.max_by(|&one, &other| at(one, 0).mean.abs().total_cmp(&at(other, 0).mean.abs()));
        let most = most.unwrap_or(0);
        (self.loads[most], at(most, 1))
    }

    /// With the feedback minus without, at a load or, without one, in the mean of all.
    fn difference(&self, load: Option<usize>, of: fn(&Outcome) -> f64) -> Mean {
        let loads = load.map_or(0..self.loads.len(), |load| load..load + 1);
        let count = loads.len() as f64;
        Mean::of((0..self.seeds()).map(|seed| {
            let differences = loads
                .clone()
                .map(|load| of(&self.runs[1][load][seed]) - of(&self.runs[0][load][seed]));
            differences.sum::<f64>() / count
        }))
    }

    /// At how many loads more a seed collapses with the feedback than without.
    fn more_collapses(&self) -> Mean {
        let count = |feedback: usize, seed: usize| {
            let runs = self.runs[feedback].iter();
            runs.filter(|runs| runs[seed].collapsed).count() as f64
        };
        Mean::of((0..self.seeds()).map(|seed| count(1, seed) - count(0, seed)))
    }

    fn edge(&self, feedback: usize) -> Place {
        let line = self.loads.iter().zip(&self.runs[feedback]);
        let line: Vec<_> = line
            .map(|(&value, runs)| Tried {
                value,
                answers: runs.iter().map(|run| run.collapsed).collect(),
            })
            .collect();
        Place::of(&line)
    }

    fn table(&self) -> String {
        let mut text = String::from(
            "| agents | errors without [%] | with [%] | p95 without [ms] | with [ms] | collapsed without | with |\n| --- | --- | --- | --- | --- | --- | --- |\n",
        );
        for (load, agents) in self.loads.iter().enumerate() {
            text += &format!("| {agents} |");
            for (_, of) in MEASURES {
                for feedback in 0..2 {
                    let mean = Mean::of(self.runs[feedback][load].iter().map(of));
                    text += &format!(" {:.2} ± {:.2} |", mean.mean, mean.half);
                }
            }
            for feedback in 0..2 {
                let runs = &self.runs[feedback][load];
                let collapsed = runs.iter().filter(|run| run.collapsed).count();
                text += &format!(" {collapsed} of {} |", runs.len());
            }
            text.push('\n');
        }
        text
    }

    /// Whether the claim holds, part by part.
    fn verdict(&self) -> String {
        let mut lines = Vec::new();
        let bends = MEASURES.map(|(name, of)| {
            let (load, bend) = self.bend(1, of);
            let side = if bend.mean < 0.0 { "below" } else { "above" };
            lines.push(format!(
                "With the feedback, at {load} agents the curve of {name} is {:.1} ± {:.1} % of its whole rise {side} a straight line.",
                bend.mean.abs(),
                bend.half
            ));
            bend.is_not_zero()
        });
        let [errors, p95] = MEASURES.map(|(_, of)| self.difference(None, of));
        lines.push(format!(
            "The feedback adds {errors} percentage points of errors and {p95} ms to the p95, in the mean of all loads, within seeds."
        ));
        let more = self.more_collapses();
        lines.push(format!(
            "With it a seed collapses at {more} more of the {} loads.",
            self.loads.len()
        ));
        for (feedback, name) in ["Without the feedback", "With the feedback"]
            .iter()
            .enumerate()
        {
            let question = Question::WorstState(State::Collapsed);
            let sentence = self.edge(feedback).sentence("agents.count", question);
            lines.push(format!("{name}: {sentence}"));
        }
        let is_bent = bends == [true, true];
        let is_worse = errors.is_above_zero() && p95.is_above_zero();
        let is_sooner = more.is_above_zero();
        let says = |holds: bool, yes: &str, no: &str| if holds { yes } else { no }.to_owned();
        let parts = [
            says(
                is_bent,
                "degradation is not linear in the load",
                "degradation is not told from a straight line",
            ),
            says(
                is_worse,
                "the feedback worsens errors and latency",
                "the feedback does not worsen both errors and latency",
            ),
            says(
                is_sooner,
                "it brings collapse at lower loads",
                "it does not bring collapse at lower loads beyond what chance does",
            ),
        ];
        let holds = match [is_bent, is_worse, is_sooner]
            .iter()
            .filter(|&&it| it)
            .count()
        {
            3 => "The claim holds",
            0 => "The claim does not hold",
            _ => "The claim holds in part",
        };
        format!("{holds}: {}. {}", parts.join("; "), lines.join(" "))
    }
}

fn run() -> Result<Grid, Box<dyn std::error::Error>> {
    let preset = presets::find("exp-002").ok_or("there is no exp-002")?;
    let axes = vec![
        Axis::parse("workers.service.slowdown_per_pressure=0,2.8")?,
        Axis::parse("agents.count=25..400:25")?,
    ];
    let loads = axes[1].values().to_vec();
    let plan = Plan::new(&preset.profile(), axes, FIRST_SEED..=LAST_SEED, MOST_CELLS)?;
    plan.check()?;
    let cells = (0..plan.cells()).into_par_iter().map(|cell| {
        let report = Run::new(&plan.cell(cell)?.profile).finish();
        Ok(Outcome {
            errors: 100.0 * report.error_rate.unwrap_or(f64::NAN),
            p95: 1000.0
                * report
                    .latency_seconds
                    .map_or(f64::NAN, |latency| latency.p95),
            collapsed: report.worst_state == Some(State::Collapsed),
        })
    });
    let cells: Result<Vec<_>, agent_chaos_core::wire::ProfileError> = cells.collect();
    let cells = cells?;
    let seeds = (LAST_SEED - FIRST_SEED + 1) as usize;
    let curves: Vec<Vec<Vec<Outcome>>> = cells
        .chunks(loads.len() * seeds)
        .map(|curve| curve.chunks(seeds).map(<[Outcome]>::to_vec).collect())
        .collect();
    let runs = <[_; 2]>::try_from(curves).map_err(|_| "two curves")?;
    Ok(Grid { loads, runs })
}

fn main() -> ExitCode {
    match run() {
        Ok(grid) => {
            println!("{}\n{}", grid.table(), grid.verdict());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Twenty seeds that differ by a little, at eleven loads.
    fn grid(curve: impl Fn(usize, f64) -> f64, tips: impl Fn(usize) -> f64) -> Grid {
        let loads: Vec<f64> = (0..11).map(f64::from).collect();
        let runs = [0, 1].map(|feedback| {
            loads
                .iter()
                .map(|&load| {
                    let seeds = (0..20).map(|seed| {
                        let noise = f64::from((seed * 7 + load as i32 * 3) % 5 - 2) / 50.0;
                        let value = curve(feedback, load) + noise;
                        Outcome {
                            errors: value,
                            p95: value,
                            collapsed: load + f64::from(seed % 3) / 2.0 > tips(feedback),
                        }
                    });
                    seeds.collect()
                })
                .collect()
        });
        Grid { loads, runs }
    }

    /// The table and the sentence in MODEL.md are those of the program.
    #[test]
    fn the_model_says_what_comes_out() {
        let model = include_str!("../../MODEL.md").replace("\n> ", "\n");
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let (model, grid) = (words(&model), run().unwrap());
        for said in [grid.table(), grid.verdict()] {
            assert!(model.contains(&words(&said)), "{said}");
        }
    }

    #[test]
    fn the_sentence_follows_the_figures() {
        let all = grid(
            |feedback, load| load * load * (1.0 + 0.1 * feedback as f64),
            |feedback| 8.0 - 3.0 * feedback as f64,
        );
        assert!(
            all.verdict().starts_with("The claim holds: "),
            "{}",
            all.verdict()
        );
        let none = grid(|_, load| load, |_| 6.0);
        let said = none.verdict();
        assert!(said.starts_with("The claim does not hold: "), "{said}");
        let bent = grid(|_, load| load * load, |_| 6.0);
        let said = bent.verdict();
        assert!(
            said.starts_with("The claim holds in part: degradation is not linear"),
            "{said}"
        );
        assert!(said.contains("the feedback does not worsen"), "{said}");
        let later = grid(
            |feedback, load| load * load * (1.0 + 0.1 * feedback as f64),
            |feedback| 6.0 + 2.0 * feedback as f64,
        );
        assert!(
            later
                .verdict()
                .contains("it does not bring collapse at lower loads")
        );
    }

    #[test]
    fn a_bend_is_measured_by_other_seeds_than_choose_it() {
        let bent = grid(|_, load| load * load, |_| 6.0);
        let (load, bend) = bent.bend(1, |run| run.errors);
        // 25 where a straight line has 50, of 100.
        assert!((4.0..=6.0).contains(&load), "{load}");
        assert!((bend.mean + 25.0).abs() < 1.0, "{bend:?}");
    }
}
