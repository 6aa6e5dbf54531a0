//! Preview images: a run's verdict, and its queue over time, as a picture for chats.
//!
//! ```text
//!  ▟ Agent Chaos Playground                      ■ COLLAPSED
//!  Retry storm
//!  The first words of the verdict …
//!  ┌──────────────────────────────────────────────────────┐
//!  │ requests waiting, with the capacity                  │
//!  └──────────────────────────────────────────────────────┘
//!  ▂▂▂▂▂█████████████████  the detector's state over time
//! ```

use std::fmt::Write;
use std::sync::Arc;

use agent_chaos_core::Report;
use agent_chaos_core::detector::State;
use anyhow::{Context, Result};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{self, fontdb};

use crate::colours::colour;
use crate::run::{self, Finished};
use crate::words::{Typeface, bound, escaped};

/// Width and height that chats and social networks ask for.
pub const SIZE: (u32, u32) = (1200, 630);

const LEFT: f64 = 60.0;
const RIGHT: f64 = 1140.0;
/// The frame of the chart, left of which its numbers stand.
const CHART: (f64, f64, f64, f64) = (130.0, 322.0, RIGHT, 516.0);
const STRIP: (f64, f64) = (524.0, 548.0);
/// Rows that are further apart, in pixels, are drawn as steps.
const WIDE: f64 = 3.0;

/// What a picture says.
pub struct Words<'a> {
    /// The name of the experiment.
    pub title: &'a str,
    /// What came of it, or what it is about.
    pub text: &'a str,
    /// What the chart shows.
    pub chart: &'a str,
}

/// Draws pictures with the fonts that are part of this program, so that they are the same
/// everywhere.
pub struct Painter {
    options: usvg::Options<'static>,
    regular: Typeface,
    bold: Typeface,
}

impl Painter {
    /// A painter with its fonts.
    pub fn new() -> Self {
        let mut fonts = fontdb::Database::new();
        for font in [dejavu::sans::regular(), dejavu::sans::bold()] {
            fonts.load_font_data(font.to_vec());
        }
        let options = usvg::Options {
            font_family: "DejaVu Sans".to_owned(),
            fontdb: Arc::new(fonts),
            ..usvg::Options::default()
        };
        Self {
            options,
            regular: Typeface::new(dejavu::sans::regular()),
            bold: Typeface::new(dejavu::sans::bold()),
        }
    }

    /// The preview of a run.
    pub fn preview(&self, run: &Finished, words: &Words) -> Result<Vec<u8>> {
        self.png(&self.preview_svg(run, words), SIZE)
    }

    /// An SVG as PNG of this size.
    pub fn png(&self, svg: &str, (width, height): (u32, u32)) -> Result<Vec<u8>> {
        let tree = usvg::Tree::from_str(svg, &self.options).context("a drawing of our own")?;
        let mut pixels = Pixmap::new(width, height).context("a picture that has a size")?;
        let size = tree.size();
        let scale =
            Transform::from_scale(width as f32 / size.width(), height as f32 / size.height());
        resvg::render(&tree, scale, &mut pixels.as_mut());
        pixels.encode_png().context("pixels that become a PNG")
    }

    fn preview_svg(&self, run: &Finished, words: &Words) -> String {
        let (width, height) = SIZE;
        let mut svg = format!(
            "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' font-family='DejaVu Sans'>\
             <rect width='{width}' height='{height}' fill='{}'/>",
            colour("card")
        );
        svg.push_str(&format!(
            "<g transform='translate({LEFT} 44) scale(2.5)'>{}</g>",
            icon_shapes(3.0)
        ));
        text(
            &mut svg,
            (LEFT + 56.0, 73.0),
            25.0,
            "ink-soft",
            "",
            "Agent Chaos Playground",
        );
        self.badge(&mut svg, &run.report);
        let mut size = 50.0;
        while self.bold.width(words.title, size) > RIGHT - LEFT {
            size -= 1.0;
        }
        text(
            &mut svg,
            (LEFT, 152.0),
            size,
            "ink",
            "font-weight='700'",
            words.title,
        );
        let told = bound(words.text);
        for (index, line) in self
            .regular
            .lines(&told, 25.0, RIGHT - LEFT, 3)
            .iter()
            .enumerate()
        {
            text(
                &mut svg,
                (LEFT, 202.0 + 34.0 * index as f64),
                25.0,
                "ink-soft",
                "",
                line,
            );
        }
        self.chart(&mut svg, run, words.chart);
        svg.push_str("</svg>");
        svg
    }

    /// The state in words, with its sign, at the top right.
    fn badge(&self, svg: &mut String, report: &Report) {
        let Some(state) = report.state.or(report.worst_state) else {
            return;
        };
        let words = format!("{} {}", sign(state), run::state_words(report));
        let wide = self.bold.width(&words, 27.0) + 56.0;
        let ink = ink(state);
        let _ = write!(
            svg,
            "<rect x='{}' y='40' width='{wide}' height='50' rx='25' fill='{}' stroke='{}' stroke-width='2'/>",
            RIGHT - wide,
            colour(&format!("{ink}-soft")),
            colour(ink)
        );
        text(
            svg,
            (RIGHT - wide + 28.0, 75.0),
            27.0,
            ink,
            "font-weight='700'",
            &words,
        );
    }

    fn chart(&self, svg: &mut String, run: &Finished, title: &str) {
        let (left, top, right, bottom) = CHART;
        let end = run.rows.last().map_or(1.0, |row| row.time).max(1e-9);
        let x = |time: f64| left + (right - left) * time / end;
        let busiest = run.rows.iter().map(|row| row.most).fold(0.0, f64::max);
        let capacity = run.capacity.map(f64::from);
        // A capacity that is far away would leave the line at the bottom.
        let near = capacity.filter(|capacity| busiest * 3.0 >= *capacity);
        let most = axis_end(busiest.max(near.unwrap_or(0.0)).max(4.0) * 1.04);
        let y = |value: f64| bottom - (bottom - top) * value / most;

        let _ = write!(
            svg,
            "<rect x='{left}' y='{top}' width='{}' height='{}' fill='{}'/>",
            right - left,
            bottom - top,
            colour("page")
        );
        for (from, to, words) in &run.spans {
            let (from, to) = (x(*from), x(to.min(end)));
            let _ = write!(
                svg,
                "<rect x='{from}' y='{top}' width='{}' height='{}' fill='{}' fill-opacity='0.7'/>",
                to - from,
                bottom - top,
                colour("line")
            );
            if self.regular.width(words, 17.0) < to - from - 16.0 {
                text(svg, (from + 8.0, top + 22.0), 17.0, "ink-soft", "", words);
            }
        }
        let step = most / 2.0;
        for value in [0.0, step, most] {
            let at = y(value);
            let _ = write!(
                svg,
                "<path d='M{left} {at}H{right}' stroke='{}' stroke-width='1.5'/>",
                colour("line")
            );
            text(
                svg,
                (left - 12.0, at + 7.0),
                20.0,
                "ink-soft",
                "text-anchor='end'",
                &plain(value),
            );
        }
        let said = match (capacity, near) {
            (Some(capacity), None) => format!("{title} (of {} places)", plain(capacity)),
            (None, _) => format!("{title} (no bound)"),
            _ => title.to_owned(),
        };
        text(
            svg,
            (left, top - 10.0),
            20.0,
            "ink",
            "font-weight='700'",
            &said,
        );
        self.line(svg, run, x, y);
        if let Some(capacity) = near {
            let at = y(capacity);
            let _ = write!(
                svg,
                "<path d='M{left} {at}H{right}' stroke='{}' stroke-width='2.5' stroke-dasharray='10 6'/>",
                colour("bad")
            );
            text(
                svg,
                (right, top - 10.0),
                20.0,
                "bad",
                "text-anchor='end'",
                &format!("capacity {} (dashed)", plain(capacity)),
            );
        }
        self.strip(svg, run, x);
        let _ = write!(
            svg,
            "<path d='M{left} {bottom}H{right}' stroke='{}' stroke-width='2'/>",
            colour("line-strong")
        );
        for (part, anchor) in [(0.0, "start"), (0.5, "middle"), (1.0, "end")] {
            let time = end * part;
            text(
                svg,
                (x(time), STRIP.1 + 26.0),
                20.0,
                "ink-soft",
                &format!("text-anchor='{anchor}'"),
                &format!("{} s", plain(time)),
            );
        }
        // What the strip shows, where there is a detector.
        if run.rows.iter().any(|row| row.state.is_some()) {
            let mut at = left;
            for state in [State::Stable, State::Degraded, State::Collapsed] {
                let share = format!(
                    "{} {} {:.0} %",
                    sign(state),
                    state.name(),
                    100.0 * run.share(state)
                );
                text(
                    svg,
                    (at, STRIP.1 + 58.0),
                    19.0,
                    ink(state),
                    "font-weight='700'",
                    &share,
                );
                at += self.bold.width(&share, 19.0) + 34.0;
            }
            text(
                svg,
                (at, STRIP.1 + 58.0),
                19.0,
                "ink-soft",
                "",
                "of the counted time",
            );
        }
    }

    /// The queue: from the least to the most of every pixel, so that spikes survive.
    fn line(
        &self,
        svg: &mut String,
        run: &Finished,
        x: impl Fn(f64) -> f64,
        y: impl Fn(f64) -> f64,
    ) {
        let (left, _, _, bottom) = CHART;
        let mut columns: Vec<(f64, f64, f64)> = Vec::new();
        for row in &run.rows {
            let at = x(row.time).round();
            match columns.last_mut() {
                Some((last, least, most)) if *last == at => {
                    *least = least.min(row.least);
                    *most = most.max(row.most);
                }
                _ => columns.push((at, row.least, row.most)),
            }
        }
        let mut line = String::new();
        let mut area = format!("M{left} {bottom}");
        let mut before = left;
        for (index, (at, least, most)) in columns.iter().enumerate() {
            let (least, most) = (y(*least), y(*most));
            let step = format!("L{before} {most:.1}L{at} {most:.1}");
            area.push_str(&step);
            if index == 0 {
                let _ = write!(line, "M{before} {most:.1}");
            }
            // Where there is room, the most of the time that a row covers.
            if at - before > WIDE {
                line.push_str(&step);
            } else {
                let _ = write!(line, "L{at} {least:.1}L{at} {most:.1}");
            }
            before = *at;
        }
        let _ = write!(area, "L{before} {bottom}Z");
        let _ = write!(
            svg,
            "<path d='{area}' fill='{0}' fill-opacity='0.16'/><path d='{line}' fill='none' stroke='{0}' stroke-width='2.5' stroke-linejoin='round'/>",
            colour("series-1")
        );
    }

    /// The state over time: higher and another colour where it is worse.
    fn strip(&self, svg: &mut String, run: &Finished, x: impl Fn(f64) -> f64) {
        let (top, bottom) = STRIP;
        let mut from = CHART.0;
        for (index, row) in run.rows.iter().enumerate() {
            let next = run.rows.get(index + 1).map(|row| row.state);
            if next == Some(row.state) {
                continue;
            }
            let to = x(row.time);
            if let Some(state) = row.state {
                let high = (bottom - top) * (f64::from(state as u8) + 1.0) / 3.0;
                let _ = write!(
                    svg,
                    "<rect x='{from:.1}' y='{:.1}' width='{:.1}' height='{high:.1}' fill='{}'/>",
                    bottom - high,
                    to - from,
                    colour(ink(state))
                );
            }
            from = to;
        }
    }
}

/// The sign of the playground: a queue that grows. `corner` is the radius of its corners.
pub fn icon_shapes(corner: f64) -> String {
    format!(
        "<rect width='16' height='16' rx='{corner}' fill='{}'/><path d='M2 12h3V9h3V6h3V3h3' stroke='white' stroke-width='2' fill='none'/>",
        colour("accent")
    )
}

/// The sign as a picture of its own. A maskable one has no corners, and a margin that may be cut off.
pub fn icon(maskable: bool) -> String {
    let (shapes, start) = if maskable {
        (
            icon_shapes(0.0),
            "<svg xmlns='http://www.w3.org/2000/svg' viewBox='-3 -3 22 22'><rect x='-3' y='-3' width='22' height='22' fill='",
        )
    } else {
        (
            icon_shapes(3.0),
            "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><rect width='0' height='0' fill='",
        )
    };
    format!("{start}{}'/>{shapes}</svg>", colour("accent"))
}

fn ink(state: State) -> &'static str {
    match state {
        State::Stable => "good",
        State::Degraded => "warn",
        State::Collapsed => "bad",
    }
}

fn sign(state: State) -> char {
    match state {
        State::Stable => '●',
        State::Degraded => '▲',
        State::Collapsed => '■',
    }
}

fn text(svg: &mut String, (x, y): (f64, f64), size: f64, ink: &str, more: &str, words: &str) {
    let _ = write!(
        svg,
        "<text x='{x:.1}' y='{y:.1}' font-size='{size}' fill='{}' {more}>{}</text>",
        colour(ink),
        escaped(words)
    );
}

/// The least round number that is no less, of which the half is whole.
fn axis_end(value: f64) -> f64 {
    if let Some(end) = [4.0, 6.0, 8.0].into_iter().find(|end| *end >= value) {
        return end;
    }
    let mut unit = 10.0;
    loop {
        for factor in [1.0, 1.2, 1.6, 2.0, 2.4, 3.0, 4.0, 5.0, 6.0, 8.0] {
            if factor * unit >= value {
                return factor * unit;
            }
        }
        unit *= 10.0;
    }
}

fn plain(value: f64) -> String {
    let rounded = (value * 10.0).round() / 10.0;
    let text = format!("{rounded}");
    let digits = text.split('.').next().unwrap_or_default().len();
    if digits <= 4 {
        return text;
    }
    let mut out = String::new();
    for (index, digit) in text.chars().enumerate() {
        if index > 0 && index < digits && (digits - index) % 3 == 0 {
            out.push('\u{2009}');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Painter, SIZE, Words, axis_end, icon, plain};
    use crate::run::Finished;

    #[test]
    fn the_same_run_gives_the_same_picture() {
        let painter = Painter::new();
        let run = Finished::of("retry-storm").unwrap();
        let words = Words {
            title: "A <title> & more",
            text: "Words.",
            chart: "Requests waiting",
        };
        let [one, other] = [(); 2].map(|()| painter.preview(&run, &words).unwrap());
        assert!(one == other);
        assert!(one.len() > 5_000, "{} bytes", one.len());
        let pixels = resvg::tiny_skia::Pixmap::decode_png(&one).unwrap();
        assert_eq!((pixels.width(), pixels.height()), SIZE);
        let others = painter
            .preview(&Finished::of("exp-001").unwrap(), &words)
            .unwrap();
        assert!(one != others);
    }

    #[test]
    fn icons_are_pictures_of_their_size() {
        for maskable in [false, true] {
            let png = Painter::new().png(&icon(maskable), (192, 192)).unwrap();
            let pixels = resvg::tiny_skia::Pixmap::decode_png(&png).unwrap();
            assert_eq!((pixels.width(), pixels.height()), (192, 192));
            let corner = pixels.pixel(0, 0).unwrap().alpha();
            assert_eq!(corner, if maskable { 255 } else { 0 });
        }
    }

    #[test]
    fn axes_end_at_round_numbers() {
        let ends = [4.0, 5.2, 83.2, 208.0, 1000.0].map(axis_end);
        assert_eq!(ends, [4.0, 6.0, 100.0, 240.0, 1000.0]);
        assert_eq!(plain(12_500.0), "12\u{2009}500");
        assert_eq!(plain(2.5), "2.5");
    }
}
