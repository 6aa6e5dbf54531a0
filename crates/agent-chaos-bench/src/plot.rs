//! The plot of the scaling: both axes logarithmic, as SVG that follows the reader's light or dark.

use std::fmt::Write;

use crate::scaling::Series;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 440.0;
const LEFT: f64 = 68.0;
const RIGHT: f64 = 40.0;
const TOP: f64 = 72.0;
const BOTTOM: f64 = 62.0;

/// A number's place on a logarithmic axis.
struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Axis {
    fn place(&self, value: f64) -> f64 {
        let share = (value / self.low).log10() / (self.high / self.low).log10();
        self.from + (self.to - self.from) * share
    }

    /// Values with a line, and whether they also have a number: 1, 2, 5 of each decade have.
    fn ticks(&self, labels: &[u32]) -> Vec<(f64, bool)> {
        let mut ticks = Vec::new();
        let mut decade = 10_f64.powf(self.low.log10().floor());
        while decade <= self.high {
            for digit in 1..10 {
                let value = decade * f64::from(digit);
                if value >= self.low * 0.999 && value <= self.high * 1.001 {
                    ticks.push((value, labels.contains(&digit)));
                }
            }
            decade *= 10.0;
        }
        ticks
    }
}

/// The plot, or nothing if there is no point.
#[must_use]
pub fn svg(all: &[Series]) -> Option<String> {
    let points = |series: &Series| -> Vec<(f64, f64)> {
        let known = series.points.iter();
        known
            .filter_map(|point| Some((point.value, point.ratio()?.median)))
            .collect()
    };
    let everything: Vec<_> = all.iter().flat_map(points).collect();
    let least = |of: fn(&(f64, f64)) -> f64| everything.iter().map(of).min_by(f64::total_cmp);
    let most = |of: fn(&(f64, f64)) -> f64| everything.iter().map(of).max_by(f64::total_cmp);
    let x = Axis {
        low: least(|p| p.0)?,
        high: most(|p| p.0)?.max(least(|p| p.0)? * 10.0),
        from: LEFT,
        to: WIDTH - RIGHT,
    };
    let y = Axis {
        low: least(|p| p.1)?.min(2.0).min(1.0),
        high: most(|p| p.1)?.max(10.0) * 1.2,
        from: HEIGHT - BOTTOM,
        to: TOP,
    };
    let mut svg = String::new();
    let _ = write!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" aria-labelledby="title">
<title id="title">Time per request over that of the bare loop, against agents, workers, queue capacity and latency window; both axes logarithmic</title>
<style>{STYLE}</style>
<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>
<text class="head" x="{LEFT}" y="24">Time per request, as a multiple of the bare loop's</text>
"#
    );
    for (value, labelled) in y.ticks(&[1, 2, 5]) {
        let place = y.place(value);
        let class = if labelled { "grid" } else { "grid faint" };
        let _ = writeln!(
            svg,
            r#"<line class="{class}" x1="{LEFT}" x2="{:.1}" y1="{place:.1}" y2="{place:.1}"/>"#,
            WIDTH - RIGHT
        );
        if labelled {
            let _ = writeln!(
                svg,
                r#"<text class="number" x="{}" y="{:.1}" text-anchor="end">{value} ×</text>"#,
                LEFT - 8.0,
                place + 4.0
            );
        }
    }
    for (value, labelled) in x.ticks(&[1]) {
        let place = x.place(value);
        let class = if labelled { "grid" } else { "grid faint" };
        let _ = writeln!(
            svg,
            r#"<line class="{class}" x1="{place:.1}" x2="{place:.1}" y1="{TOP}" y2="{:.1}"/>"#,
            HEIGHT - BOTTOM
        );
        if labelled {
            let value = group(value);
            let _ = writeln!(
                svg,
                r#"<text class="number" x="{place:.1}" y="{:.1}" text-anchor="middle">{value}</text>"#,
                HEIGHT - BOTTOM + 20.0
            );
        }
    }
    let _ = writeln!(
        svg,
        r#"<path class="frame" d="M{LEFT} {TOP}V{bottom}H{right}"/>
<text class="number" x="{middle}" y="{under}" text-anchor="middle">number of agents, workers or waiting places; length of the latency window in seconds</text>"#,
        bottom = HEIGHT - BOTTOM,
        right = WIDTH - RIGHT,
        middle = (LEFT + WIDTH - RIGHT) / 2.0,
        under = HEIGHT - 16.0,
    );
    let mut legend = LEFT;
    for (index, series) in all.iter().enumerate() {
        let class = format!("s{}", index % 4);
        let line: Vec<String> = points(series)
            .iter()
            .map(|&(value, ratio)| format!("{:.1},{:.1}", x.place(value), y.place(ratio)))
            .collect();
        let _ = writeln!(
            svg,
            r#"<polyline class="line {class}" points="{}"/>"#,
            line.join(" ")
        );
        for (value, ratio) in points(series) {
            let _ = writeln!(svg, "{}", marker(index, x.place(value), y.place(ratio)));
        }
        let words = if series.unit == "s" {
            format!("{} [s]", series.name)
        } else {
            series.name.to_owned()
        };
        let _ = writeln!(
            svg,
            r#"<polyline class="line {class}" points="{legend:.1},46 {:.1},46"/>{}<text class="words" x="{:.1}" y="50">{words}</text>"#,
            legend + 34.0,
            marker(index, legend + 17.0, 46.0),
            legend + 42.0,
        );
        legend += 62.0 + 7.4 * words.chars().count() as f64;
    }
    svg += "</svg>\n";
    Some(svg)
}

/// Each line has a shape of its own, so that colour is not the only sign.
fn marker(index: usize, x: f64, y: f64) -> String {
    let class = format!("mark m{}", index % 4);
    match index % 4 {
        0 => format!(r#"<circle class="{class}" cx="{x:.1}" cy="{y:.1}" r="4.5"/>"#),
        1 => format!(
            r#"<path class="{class}" d="M{:.1} {:.1}h8v8h-8z"/>"#,
            x - 4.0,
            y - 4.0
        ),
        2 => format!(
            r#"<path class="{class}" d="M{x:.1} {:.1}l5 9h-10z"/>"#,
            y - 5.5
        ),
        _ => format!(
            r#"<path class="{class}" d="M{x:.1} {:.1}l5.5 5.5l-5.5 5.5l-5.5 -5.5z"/>"#,
            y - 5.5
        ),
    }
}

fn group(value: f64) -> String {
    match value {
        v if v >= 999.0 => format!("{},000", (v / 1000.0).round()),
        v if v >= 0.999 => format!("{v:.0}"),
        v => format!("{v:.1}"),
    }
}

const STYLE: &str = "
  .paper { fill: #ffffff } text { font: 13px system-ui, sans-serif; fill: #1c2430 }
  .head { font-weight: 600; font-size: 15px } .number { fill: #56606e; font-size: 12px }
  .grid { stroke: #d3d8df; stroke-width: 1 } .faint { stroke: #eceff3 } .frame { stroke: #7b8592; fill: none }
  .line { fill: none; stroke-width: 2 } .mark { stroke: #ffffff; stroke-width: 1 }
  .s0 { stroke: #0b5cad } .m0 { fill: #0b5cad } .s1 { stroke: #b4460f; stroke-dasharray: 8 3 } .m1 { fill: #b4460f }
  .s2 { stroke: #15744a; stroke-dasharray: 3 3 } .m2 { fill: #15744a } .s3 { stroke: #7a3aa8; stroke-dasharray: 10 3 2 3 } .m3 { fill: #7a3aa8 }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #12171e } text { fill: #e6eaf0 } .number { fill: #a7b0bd }
    .grid { stroke: #333c48 } .faint { stroke: #202833 } .frame { stroke: #7b8592 } .mark { stroke: #12171e }
    .s0 { stroke: #6cb2ff } .m0 { fill: #6cb2ff } .s1 { stroke: #ff9d66 } .m1 { fill: #ff9d66 }
    .s2 { stroke: #5fd39b } .m2 { fill: #5fd39b } .s3 { stroke: #cf9bf5 } .m3 { fill: #cf9bf5 }
  }
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaling;

    #[test]
    fn decades_and_values_have_their_places() {
        let axis = Axis {
            low: 1.0,
            high: 100.0,
            from: 0.0,
            to: 200.0,
        };
        assert_eq!(
            [1.0, 10.0, 100.0].map(|value| axis.place(value)),
            [0.0, 100.0, 200.0]
        );
        assert_eq!(axis.ticks(&[1]).iter().filter(|tick| tick.1).count(), 3);
    }

    #[test]
    fn only_what_was_measured_is_drawn() {
        let mut all = scaling::all();
        assert_eq!(svg(&all), None);
        all[0].points[0].costs.push((100.0, 4.0));
        all[0].points[1].costs.push((120.0, 5.0));
        let drawn = svg(&all).expect("a plot");
        // Two points and one of each series in the legend.
        assert_eq!(drawn.matches("class=\"mark").count(), 2 + all.len());
    }
}
