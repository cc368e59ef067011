//! `pullback compare`: what back propagation saves, counted and measured, over depth or width.

use crate::failure::{Failure, Result};
use crate::files::Files;
use crate::language;
use crate::machine::free_memory;
use crate::terminal::{entry, print, print_json, time, width, wrapped};
use pullback::differentiate::reverse;
use pullback::execute::{Executor, Machine};
use pullback::explain::four_ways::{Counts, Way, count, gradient, one_by_one};
use pullback::explain::{Block, Catalog, Document, Trace};
use pullback::job::memory;
use pullback::network::{Activation, Cost, Mode, Network};
use pullback::plan::Plan;
use pullback::report::number::magnitude;
use pullback::report::svg::Svg;
use serde::Serialize;
use serde_json::json;
use std::fmt::{Display, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

#[derive(Debug, clap::Args)]
pub(crate) struct Compare {
    /// The units of each hidden layer
    #[arg(long, value_name = "UNITS,...", value_delimiter = ',', default_value = "64")]
    layers: Vec<usize>,
    /// So many hidden layers, each as wide as the first of `--layers` [default: 1..100]
    #[arg(long, value_name = "FROM..TO")]
    depth: Option<String>,
    /// So many units in each of the layers instead
    #[arg(long, value_name = "FROM..TO", conflicts_with = "depth")]
    width: Option<String>,
    /// The features of an example [default: as many as the first layer has units]
    #[arg(long)]
    inputs: Option<usize>,
    /// The classes
    #[arg(long, default_value_t = 10)]
    outputs: usize,
    /// The examples of a batch
    #[arg(long, default_value_t = 1)]
    batch: usize,
    /// The activation of hidden layers
    #[arg(long, default_value = "tanh")]
    activation: Activation,
    /// How many seconds may be spent on measuring
    #[arg(long, default_value_t = 20.0)]
    budget: f64,
    /// Count the multiply-adds alone, and measure no time
    #[arg(long, conflicts_with_all = ["svg", "json", "budget"])]
    counts: bool,
    /// From which weights and examples are drawn
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Where a plot of the times goes
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// The language: en, ko [default: by the locale]
    #[arg(long)]
    lang: Option<String>,
    /// Print counts and times as JSON
    #[arg(long)]
    json: bool,
}

/// A time in seconds, and whether it was measured in full.
#[derive(Debug, Clone, Copy, Serialize)]
struct Taken {
    seconds: f64,
    is_extrapolated: bool,
}

/// One network of the comparison.
#[derive(Debug, Serialize)]
struct Line {
    /// Hidden layers, or units, whichever varies.
    size: usize,
    counts: Counts,
    pass_seconds: f64,
    /// By way: back, forward, differences, paths.
    times: [Taken; 4],
}

/// Nobody waits longer than a day for a comparison.
const MOST_SECONDS: f64 = 86_400.0;

/// The largest number of networks that are measured.
const MOST_LINES: usize = 12;

impl Compare {
    pub(super) fn run(&self) -> Result<()> {
        let out = Files::default().output(self.svg.as_deref(), "--svg")?;
        let (what, sizes) = self.sizes()?;
        if self.layers.contains(&0) || self.inputs == Some(0) || self.outputs < 2 || self.batch == 0 {
            return Err(Failure::usage(
                "a network needs units, inputs, two outputs and a batch",
                "give positive numbers",
            ));
        }
        if let Some(&largest) = sizes.last() {
            self.check_memory(&self.hidden(what, largest))?;
        }
        if !(self.budget > 0.0 && self.budget <= MOST_SECONDS) {
            return Err(Failure::usage(
                format!("a budget of {} seconds", self.budget),
                format!("give a positive number of at most {MOST_SECONDS}"),
            ));
        }
        if self.counts {
            let catalog = language::catalog(self.lang.as_deref(), None)?;
            let counted = |&size: &usize| Ok((size, count(&self.trace(&self.hidden(what, size))?)));
            let counted = sizes.iter().map(counted).collect::<Result<Vec<_>>>()?;
            return print(&counted_table(what, &counted, &catalog));
        }
        let share = Duration::from_secs_f64((self.budget / sizes.len() as f64).clamp(0.01, 600.0));
        let rate = self.path_rate()?;
        let lines =
            sizes.iter().map(|&size| self.line(what, size, share, rate)).collect::<Result<Vec<_>>>()?;
        let (catalog, english) = (language::catalog(self.lang.as_deref(), None)?, Catalog::english());
        if self.svg.is_some() {
            out.write(plot(&lines, what, &catalog).as_bytes())?;
        }
        // For programs, in English.
        let laws = laws(&lines, what, if self.json { &english } else { &catalog });
        if self.json {
            return print_json(&json!({
                "version": 1, "varies": what, "ways": Way::ALL, "batch": self.batch,
                "lines": lines, "laws": laws,
            }));
        }
        print(&self.render(&lines, what, &laws, &catalog))
    }

    /// What varies, and its values.
    fn sizes(&self) -> Result<(&'static str, Vec<usize>)> {
        let (what, text) = match (&self.depth, &self.width) {
            (_, Some(text)) => ("width", text.as_str()),
            (Some(text), None) => ("depth", text.as_str()),
            (None, None) => ("depth", "1..100"),
        };
        let wrong = || {
            Failure::usage(
                format!("`{text}` is no range of sizes"),
                format!("write two positive numbers, for example `--{what} 1..100`"),
            )
        };
        let (from, to) = text.split_once("..").unwrap_or((text, text));
        let (from, to): (usize, usize) =
            (from.parse().map_err(|_| wrong())?, to.trim_start_matches('=').parse().map_err(|_| wrong())?);
        if from == 0 || to < from || to > 10_000 {
            return Err(wrong());
        }
        // Evenly on a logarithmic scale, so that each growth law is a straight line.
        let steps = (MOST_LINES - 1) as f64;
        let ratio = to as f64 / from as f64;
        let mut sizes: Vec<usize> = (0..MOST_LINES)
            .map(|at| (from as f64 * pow(ratio, at as f64 / steps)).round() as usize)
            .collect();
        sizes.dedup();
        Ok((what, sizes))
    }

    /// The units of the hidden layers of one network of the comparison.
    fn hidden(&self, what: &str, size: usize) -> Vec<usize> {
        match what {
            "depth" => vec![self.layers[0]; size],
            _ => vec![size; self.layers.len()],
        }
    }

    fn network(&self, hidden: &[usize]) -> Network {
        let inputs = self.inputs.unwrap_or(hidden[0]);
        Network::dense(inputs, hidden, self.outputs, self.activation, Cost::SoftmaxCrossEntropy)
    }

    /// Refuses networks for which there is no memory, before the first one is measured.
    fn check_memory(&self, hidden: &[usize]) -> Result<()> {
        Ok(memory::check(&self.network(hidden), self.batch, memory::Work::Trace, free_memory())?)
    }

    fn trace(&self, hidden: &[usize]) -> Result<Trace> {
        let network = self.network(hidden);
        let inputs = network.inputs;
        let number = |at: usize| {
            (((at + 1) * 7919 + self.seed as usize % 2003 * 104_729) % 2003) as f64 / 1001.0 - 1.0
        };
        let features: Vec<f64> = (0..self.batch * inputs).map(number).collect();
        let targets: Vec<f64> = (0..self.batch * self.outputs)
            .map(|at| f64::from(u8::from(at % self.outputs == at / self.outputs % self.outputs)))
            .collect();
        Ok(Trace::new(&network, &network.initialize(self.seed)?, &features, &targets, self.batch)?)
    }

    /// How many multiply-adds a second the walk along paths does: measured on a network that it can walk.
    fn path_rate(&self) -> Result<f64> {
        let trace = self.trace(&[8, 8, 8])?;
        let start = Instant::now();
        gradient(&trace, Way::Paths, usize::MAX)?;
        Ok(count(&trace).paths / start.elapsed().as_secs_f64().max(1e-9))
    }

    fn line(&self, what: &str, size: usize, share: Duration, rate: f64) -> Result<Line> {
        let trace = self.trace(&self.hidden(what, size))?;
        let counts = count(&trace);
        let network = trace.network();
        let lowered = network.lower(self.batch, Mode::Evaluation)?;
        let gradients = reverse(&lowered.graph, lowered.cost, &lowered.parameters)?;
        let mut outputs = vec![lowered.cost];
        outputs.extend(&gradients.nodes);
        let parameters: Vec<Vec<f64>> =
            (0..trace.parameters().len()).map(|place| trace.parameter(place).to_vec()).collect();
        let timed = |plan: Plan| {
            let mut executor = Executor::<f64>::new(plan, &Machine::with_threads(1));
            for (position, name) in ["features", "targets"].into_iter().enumerate() {
                let id = lowered.graph.find(name).expect("every network has features and targets");
                executor.input_mut(position).copy_from_slice(trace.value(id));
            }
            executor.run(&parameters);
            let mut times: Vec<f64> = Vec::new();
            let begin = Instant::now();
            while times.len() < 5 || (begin.elapsed() < share / 10 && times.len() < 1000) {
                let start = Instant::now();
                executor.run(&parameters);
                times.push(start.elapsed().as_secs_f64());
            }
            times.sort_by(f64::total_cmp);
            times[times.len() / 2]
        };
        let pass_seconds = timed(Plan::new(&lowered.graph, &[lowered.cost]));
        let back = timed(Plan::new(&gradients.graph, &outputs));
        let by_weight = |way: Way| {
            let mut one = one_by_one(&trace, way);
            let begin = Instant::now();
            let mut found = 0;
            'all: for (place, numbers) in parameters.iter().enumerate() {
                for element in 0..numbers.len() {
                    one.number(place, place, element);
                    found += 1;
                    if begin.elapsed() > share * 2 / 5 {
                        break 'all;
                    }
                }
            }
            let seconds = begin.elapsed().as_secs_f64() / f64::from(found) * counts.weights;
            Taken { seconds, is_extrapolated: f64::from(found) < counts.weights }
        };
        let paths = if counts.paths / rate < share.as_secs_f64() / 5.0 {
            let begin = Instant::now();
            gradient(&trace, Way::Paths, usize::MAX)?;
            Taken { seconds: begin.elapsed().as_secs_f64(), is_extrapolated: false }
        } else {
            Taken { seconds: counts.paths / rate, is_extrapolated: true }
        };
        let times = [
            Taken { seconds: back, is_extrapolated: false },
            by_weight(Way::Forward),
            by_weight(Way::Differences),
            paths,
        ];
        Ok(Line { size, counts, pass_seconds, times })
    }

    fn render(&self, lines: &[Line], what: &str, laws: &[String], catalog: &Catalog) -> String {
        let mut out = String::new();
        let key = if what == "depth" { "compare.of_depth" } else { "compare.of_width" };
        let size = if what == "depth" { self.layers[0] } else { self.layers.len() };
        let network = catalog
            .say(key, &[("size", &size), ("activation", &self.activation), ("outputs", &self.outputs)]);
        entry(&mut out, catalog.get("compare.network"), &network);
        let gradient = catalog.say("compare.gradient_of", &[("batch", &self.batch)]);
        entry(&mut out, catalog.get("compare.gradient"), &gradient);
        let counted: Vec<(usize, Counts)> = lines.iter().map(|line| (line.size, line.counts)).collect();
        let times = lines.iter().map(|line| {
            let cell = |taken: &Taken| {
                let mark = if taken.is_extrapolated { "~" } else { "" };
                format!("{mark}{}", time(taken.seconds))
            };
            let first = [line.size.to_string(), magnitude(line.counts.weights), time(line.pass_seconds)];
            first.into_iter().chain(line.times.iter().map(cell)).collect()
        });
        let _ = write!(out, "\n{}", counted_table(what, &counted, catalog));
        let _ = write!(out, "\n{}", table("compare.measured", what, times.collect(), catalog));
        out.push('\n');
        for law in laws {
            let _ = writeln!(out, "{}", wrapped(law, 0));
        }
        if let Some(path) = &self.svg {
            let _ = writeln!(out, "\n{}", catalog.say("compare.plot", &[("path", &path.display())]));
        }
        out
    }
}

/// The columns of a table of the ways.
fn columns(what: &str, catalog: &Catalog) -> Vec<String> {
    let heads = ["weights", "pass", "back", "forward", "differences", "paths"];
    let names = [what].into_iter().chain(heads);
    names.map(|key| catalog.get(&format!("compare.{key}")).to_owned()).collect()
}

/// A table of the ways, with a title above.
fn table(title: &str, what: &str, rows: Vec<Vec<String>>, catalog: &Catalog) -> String {
    let blocks = vec![
        Block::Text(catalog.get(title).to_owned()),
        Block::Table { columns: columns(what, catalog), rows },
    ];
    Document { language: catalog.language, blocks }.text(width(), false)
}

/// The multiply-adds of each way, by the size that varies.
fn counted_table(what: &str, counted: &[(usize, Counts)], catalog: &Catalog) -> String {
    let row = |(size, c): &(usize, Counts)| {
        let cells = [c.weights, c.pass, c.back, c.forward, c.differences, c.paths].map(magnitude);
        [size.to_string()].into_iter().chain(cells).collect()
    };
    table("compare.counted", what, counted.iter().map(row).collect(), catalog)
}

fn pow(base: f64, exponent: f64) -> f64 {
    pullback::Real::powf(base, exponent)
}

fn ln(x: f64) -> f64 {
    pullback::Real::ln(x)
}

/// The slope of the straight line that fits best.
fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let (mx, my) =
        (points.iter().map(|p| p.0).sum::<f64>() / count, points.iter().map(|p| p.1).sum::<f64>() / count);
    let above: f64 = points.iter().map(|p| (p.0 - mx) * (p.1 - my)).sum();
    let below: f64 = points.iter().map(|p| (p.0 - mx) * (p.0 - mx)).sum();
    if below > 0.0 { above / below } else { 0.0 }
}

/// How each way grows, fitted to the counts, beside what theory says.
fn laws(lines: &[Line], what: &str, catalog: &Catalog) -> Vec<String> {
    if lines.len() < 3 {
        return Vec::new();
    }
    // Large sizes, where lower terms no longer matter.
    let large = &lines[lines.len() / 3..];
    let power = |value: fn(&Line) -> f64| {
        let points: Vec<_> = large.iter().map(|line| (ln(line.counts.weights), ln(value(line)))).collect();
        slope(&points)
    };
    let two = |x: f64| format!("{x:.2}");
    let mut laws = vec![catalog.say(
        "compare.laws",
        &[
            ("back", &two(power(|line| line.counts.back))),
            ("forward", &two(power(|line| line.counts.forward))),
            ("differences", &two(power(|line| line.counts.differences))),
        ],
    )];
    let finite: Vec<&Line> = large.iter().filter(|line| line.counts.paths.is_finite()).collect();
    laws.push(if what == "depth" {
        let points: Vec<_> = finite.iter().map(|line| (line.size as f64, ln(line.counts.paths))).collect();
        let factor = format!("{:.1}", pullback::Real::exp(slope(&points)));
        catalog.say("compare.paths_by_depth", &[("factor", &factor)])
    } else {
        let points: Vec<_> =
            finite.iter().map(|line| (ln(line.size as f64), ln(line.counts.paths))).collect();
        catalog.say("compare.paths_by_width", &[("power", &two(slope(&points)))])
    });
    laws
}

/// The times as a drawing with logarithmic axes.
fn plot(lines: &[Line], what: &str, catalog: &Catalog) -> String {
    const SIZE: (f64, f64) = (860.0, 520.0);
    const FRAME: (f64, f64, f64, f64) = (90.0, 50.0, 660.0, 470.0);
    let ways = ["back", "forward", "differences", "paths"]
        .map(|key| catalog.get(&format!("compare.plot.{key}")).to_owned());
    const INK: &str = "#1c2430";
    const GRAY: &str = "#56606e";
    const COLORS: [&str; 4] = ["#1a56c4", "#1a7f37", "#d98e00", "#b3261e"];
    let log = |x: f64| ln(x) / std::f64::consts::LN_10;
    let most = lines.iter().flat_map(|line| &line.times[..3]).map(|taken| taken.seconds).fold(0.0, f64::max);
    let least = lines.iter().map(|line| line.times[0].seconds).fold(f64::INFINITY, f64::min);
    // Paths leave the drawing soon; what the other ways take decides its height.
    let (low, high) = (log(least).floor(), (log(most).ceil() + 3.0).max(2.0));
    let (first, last) = (log(lines[0].size as f64), log(lines[lines.len() - 1].size as f64));
    let x =
        |size: usize| FRAME.0 + (FRAME.2 - FRAME.0) * (log(size as f64) - first) / (last - first).max(1e-9);
    let y = |seconds: f64| FRAME.3 - (FRAME.3 - FRAME.1) * (log(seconds) - low) / (high - low);
    let mut drawing = Svg::new(SIZE.0, SIZE.1, 13);
    drawing.element("rect", &[("width", &SIZE.0), ("height", &SIZE.1), ("fill", &"#fff")]);
    drawing.text(
        &[("x", &FRAME.0), ("y", &28), ("font-size", &16), ("font-weight", &600), ("fill", &INK)],
        catalog.get(&format!("compare.title.{what}")),
    );
    let names: [(f64, &str); 10] = [
        (1e-6, "1 us"),
        (1e-3, "1 ms"),
        (1.0, "1 s"),
        (60.0, "1 min"),
        (3600.0, "1 h"),
        (86400.0, "1 day"),
        (31_557_600.0, "1 year"),
        (3.155_76e10, "1000 years"),
        (4.35e17, "age of the universe"),
        (1e-9, "1 ns"),
    ];
    for (seconds, name) in names.into_iter().filter(|(s, _)| (low..=high).contains(&log(*s))) {
        let at = y(seconds);
        let level = tenth(at);
        drawing.element(
            "line",
            &[("x1", &FRAME.0), ("x2", &FRAME.2), ("y1", &level), ("y2", &level), ("stroke", &"#e3e8ef")],
        );
        drawing.text(
            &[("x", &(FRAME.0 - 8.0)), ("y", &tenth(at + 4.0)), ("text-anchor", &"end"), ("fill", &GRAY)],
            name,
        );
    }
    let mut labeled = f64::NEG_INFINITY;
    for line in lines {
        let at = x(line.size);
        if at - labeled < 34.0 {
            continue;
        }
        labeled = at;
        drawing.text(
            &[("x", &tenth(at)), ("y", &(FRAME.3 + 20.0)), ("text-anchor", &"middle"), ("fill", &GRAY)],
            &line.size.to_string(),
        );
    }
    let axis = catalog.get(if what == "depth" { "compare.axis.depth" } else { "compare.axis.width" });
    drawing.text(
        &[
            ("x", &((FRAME.0 + FRAME.2) / 2.0)),
            ("y", &(FRAME.3 + 42.0)),
            ("text-anchor", &"middle"),
            ("fill", &INK),
        ],
        axis,
    );
    let axes = format_args!("M{} {}V{}H{}", FRAME.0, FRAME.1, FRAME.3, FRAME.2);
    drawing.element("path", &[("d", &axes), ("fill", &"none"), ("stroke", &GRAY)]);
    // From the top of the legend down: the slowest way first.
    let mut next = FRAME.1;
    for way in (0..4).rev() {
        let points: Vec<(f64, f64, bool)> = (lines.iter())
            .filter(|line| line.times[way].seconds.is_finite() && log(line.times[way].seconds) <= high)
            .map(|line| (x(line.size), y(line.times[way].seconds), line.times[way].is_extrapolated))
            .collect();
        let mut corners: Vec<String> =
            points.iter().map(|(x, y, _)| format!("{},{}", tenth(*x), tenth(*y))).collect();
        let beyond = lines.get(points.len());
        if let (Some(line), Some(inside)) = (beyond, points.last()) {
            // Goes on beyond the top: towards the next point, up to the frame.
            let above = (log(line.times[way].seconds.min(1e300)) - low) / (high - low);
            let from = (FRAME.3 - inside.1) / (FRAME.3 - FRAME.1);
            let part = (1.0 - from) / (above - from);
            let at = inside.0 + (x(line.size) - inside.0) * part;
            corners.push(format!("{},{}", tenth(at), FRAME.1));
        }
        let color = COLORS[way];
        drawing.element(
            "polyline",
            &[("points", &corners.join(" ")), ("fill", &"none"), ("stroke", &color), ("stroke-width", &2)],
        );
        for (x, y, is_extrapolated) in points {
            let fill = if is_extrapolated { "#fff" } else { color };
            point(&mut drawing, &tenth(x), &tenth(y), fill, color);
        }
        let (left, top) = (FRAME.2 + 24.0, next + 6.0);
        drawing
            .element("rect", &[("x", &left), ("y", &top), ("width", &14), ("height", &4), ("fill", &color)]);
        drawing.text(&[("x", &(FRAME.2 + 46.0)), ("y", &(next + 13.0)), ("fill", &INK)], &ways[way]);
        next += 24.0;
    }
    for (text, fill) in
        [(catalog.get("compare.plot.measured"), GRAY), (catalog.get("compare.plot.extrapolated"), "#fff")]
    {
        point(&mut drawing, &(FRAME.2 + 31.0), &(next + 16.0), fill, GRAY);
        drawing.text(&[("x", &(FRAME.2 + 46.0)), ("y", &(next + 20.0)), ("fill", &GRAY)], text);
        next += 22.0;
    }
    drawing.finish()
}

/// A length to a tenth of a pixel.
fn tenth(length: f64) -> String {
    format!("{length:.1}")
}

/// A point of a line.
fn point(drawing: &mut Svg, x: &dyn Display, y: &dyn Display, fill: &str, color: &str) {
    drawing.element(
        "circle",
        &[("cx", x), ("cy", y), ("r", &3.5), ("fill", &fill), ("stroke", &color), ("stroke-width", &1.5)],
    );
}
