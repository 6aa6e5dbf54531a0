//! Many runs in a few numbers.

use serde_json::{Map, Value, json};

/// Parts of a report that no mean makes sense of.
const NOT_FIGURES: &[&str] = &["profile", "seed", "evidence", "engine.revision"];

/// Student's t at 97.5 %, for 1 to 10 degrees of freedom.
const T_975: [f64; 10] = [
    12.706_205, 4.302_653, 3.182_446, 2.776_445, 2.570_582, 2.446_912, 2.364_624, 2.306_004,
    2.262_157, 2.228_139,
];

/// One figure over all runs so far.
#[derive(Clone, Debug)]
pub struct Figure {
    /// Dotted path within the report.
    pub path: String,
    /// Runs in which it is defined.
    pub runs: u64,
    /// Their mean.
    pub mean: f64,
    /// The least.
    pub min: f64,
    /// The most.
    pub max: f64,
    squares: f64,
}

impl Figure {
    fn new(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            runs: 0,
            mean: 0.0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            squares: 0.0,
        }
    }

    /// Welford's update.
    fn add(&mut self, value: f64) {
        self.runs += 1;
        let before = value - self.mean;
        self.mean += before / self.runs as f64;
        self.squares += before * (value - self.mean);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// Half the width of the 95 % confidence interval of the mean; none for a single run.
    pub fn ci95(&self) -> Option<f64> {
        let freedom = self.runs.checked_sub(1).filter(|&freedom| freedom > 0)?;
        let variance = self.squares / freedom as f64;
        Some(t_975(freedom) * (variance / self.runs as f64).sqrt())
    }
}

/// Everything numeric in the reports of many runs.
#[derive(Debug, Default)]
pub struct Summary {
    runs: u64,
    figures: Vec<Figure>,
    states: Map<String, Value>,
}

impl Summary {
    /// Takes in the report of one more run.
    pub fn add(&mut self, report: &Value) {
        if self.runs == 0 {
            for state in ["STABLE", "DEGRADED", "COLLAPSED"] {
                self.states.insert(state.to_owned(), json!(0));
            }
        }
        self.runs += 1;
        let state = report["state"].as_str().unwrap_or("unresolved");
        let count = self.states.get(state).and_then(Value::as_u64).unwrap_or(0);
        self.states.insert(state.to_owned(), json!(count + 1));
        self.collect(report, &mut String::new());
    }

    fn collect(&mut self, value: &Value, path: &mut String) {
        if NOT_FIGURES.contains(&path.as_str()) {
            return;
        }
        match value {
            Value::Object(fields) => {
                for (name, inner) in fields {
                    let length = path.len();
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(name);
                    self.collect(inner, path);
                    path.truncate(length);
                }
            }
            Value::Number(number) => {
                let known = self.figures.iter().position(|figure| figure.path == *path);
                let index = known.unwrap_or_else(|| {
                    self.figures.push(Figure::new(path));
                    self.figures.len() - 1
                });
                self.figures[index].add(number.as_f64().unwrap_or(f64::NAN));
            }
            _ => {}
        }
    }

    /// How many runs it is about.
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// A figure by its path, if it was defined in any run.
    pub fn figure(&self, path: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.path == path)
    }

    /// How many runs had which state.
    pub fn states(&self) -> &Map<String, Value> {
        &self.states
    }

    /// Every figure by its path; `defined_runs` is there if some runs do not have it.
    pub fn to_json(&self) -> Map<String, Value> {
        let told = self.figures.iter().map(|figure| {
            let mut told = json!({
                "mean": figure.mean,
                "ci95": figure.ci95(),
                "min": figure.min,
                "max": figure.max,
            });
            if figure.runs < self.runs {
                told["defined_runs"] = json!(figure.runs);
            }
            (figure.path.clone(), told)
        });
        told.collect()
    }
}

/// The 97.5 % quantile of Student's t.
///
/// From a table for small samples; beyond, Fisher's expansion around the normal quantile, which is
/// good to five digits there. Source: Abramowitz & Stegun, §26.7.5.
fn t_975(freedom: u64) -> f64 {
    if let Some(&t) = T_975.get(freedom as usize - 1) {
        return t;
    }
    let z: f64 = 1.959_963_985;
    let n = freedom as f64;
    let (z3, z5, z7, z9) = (z.powi(3), z.powi(5), z.powi(7), z.powi(9));
    z + (z3 + z) / (4.0 * n)
        + (5.0 * z5 + 16.0 * z3 + 3.0 * z) / (96.0 * n.powi(2))
        + (3.0 * z7 + 19.0 * z5 + 17.0 * z3 - 15.0 * z) / (384.0 * n.powi(3))
        + (79.0 * z9 + 776.0 * z7 + 1482.0 * z5 - 1920.0 * z3 - 945.0 * z) / (92160.0 * n.powi(4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn student_t_is_as_tabulated() {
        let table = [
            (1, 12.7062),
            (10, 2.2281),
            (11, 2.2010),
            (20, 2.0860),
            (30, 2.0423),
            (99, 1.9842),
            (1_000_000, 1.9600),
        ];
        for (freedom, expected) in table {
            let got = t_975(freedom);
            assert!((got - expected).abs() < 1e-4, "{freedom}: {got}");
        }
    }

    #[test]
    fn one_run_has_no_interval_and_two_have_a_wide_one() {
        let mut summary = Summary::default();
        summary.add(&json!({ "state": "STABLE", "x": { "y": 1.0 }, "seed": 1 }));
        let told = summary.to_json();
        assert_eq!(
            told["x.y"],
            json!({ "mean": 1.0, "ci95": null, "min": 1.0, "max": 1.0 })
        );
        assert!(!told.contains_key("seed"));
        summary.add(&json!({ "state": null, "x": { "y": 3.0 }, "z": 5 }));
        let told = summary.to_json();
        assert_eq!(told["x.y"]["mean"], 2.0);
        // s = √2, n = 2: t · s / √n = t.
        assert!((told["x.y"]["ci95"].as_f64().unwrap() - 12.706_205).abs() < 1e-9);
        assert_eq!(told["z"]["defined_runs"], 1);
        assert_eq!(summary.states()["STABLE"], 1);
        assert_eq!(summary.states()["unresolved"], 1);
    }
}
