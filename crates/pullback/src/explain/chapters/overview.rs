//! A deep network: a line a layer, the cost, and what hinders learning.

use crate::compact::sort_by;
use crate::explain::page::Page;
use crate::explain::{Block, FLAT, Finding, LayerFigures, LayerName, diagnose, layer_figures};
use crate::report::number::significant;
use pullback_kernels::Real;

/// The characters of a full bar.
const BAR: usize = 10;
/// From the longest bar to the shortest is at least this factor: where all deltas are of one size, all bars are long.
const LEAST_RANGE: f64 = 1000.0;
/// Layers whose flat units get a sentence of their own; the table tells the others.
const MOST_FLAT_LAYERS: usize = 3;

impl Page<'_> {
    pub(super) fn overview(&mut self) {
        let trace = self.trace;
        let layers = layer_figures(trace, &self.options.training);
        let trained = trace.parameters().iter().filter(|p| p.role.is_trained());
        let count: usize = trained.map(|p| p.shape.elements()).sum();
        let inputs = trace.network().inputs;
        self.text(
            self.say(
                "overview_network",
                &[("inputs", &inputs), ("layers", &layers.len()), ("count", &count)],
            ),
        );
        self.heading(self.catalog.get("overview").to_owned());
        self.overview_text(&layers);
        self.layer_lines(&layers);
        self.cost();
        self.work();
        let (flat, others): (Vec<Finding>, Vec<Finding>) = diagnose(trace).into_iter().partition(is_of_units);
        for finding in others {
            self.blocks.push(Block::Warning(finding.text(self.catalog)));
        }
        self.flat_layers(flat);
    }

    fn overview_text(&mut self, layers: &[LayerFigures]) {
        let training = &self.options.training;
        self.text(self.say("overview_text", &[("rows", &self.trace.rows()), ("flat", &FLAT)]));
        let step = if training.optimizer.is_searching() { "overview_searched" } else { "overview_step" };
        let rate = training.learning_rate();
        self.text(self.say(step, &[("optimizer", &training.optimizer), ("rate", &rate)]));
        let is_convolution = |layer: &LayerFigures| matches!(layer.name, LayerName::Convolution(_));
        if layers.iter().any(is_convolution) {
            self.text(self.catalog.get("overview_convolutions").to_owned());
        }
        // One that stands in no block can be asked for.
        let can_be_shown = |layer: &&LayerFigures| !matches!(layer.name, LayerName::Place(_));
        if let Some(layer) = layers.iter().find(can_be_shown) {
            self.text(self.say("overview_more", &[("layer", &layer.name)]));
        }
    }

    fn layer_lines(&mut self, layers: &[LayerFigures]) {
        let digits = self.options.digits.min(3);
        let number = |x: f64| significant(x, digits);
        let maybe = |x: Option<f64>| x.map(number).unwrap_or_default();
        let deltas: Vec<f64> = layers.iter().map(|layer| layer.delta).collect();
        let bars = Bars::new(&deltas);
        let rows = layers.iter().map(|layer| {
            let flat = layer.flat.map(|flat| 100.0 * flat as f64 / layer.units as f64);
            vec![
                layer.name.to_string(),
                number(layer.activation),
                number(layer.delta),
                maybe(layer.slope),
                maybe(flat),
                number(layer.gradient),
                maybe(layer.update),
                bars.of(layer.delta),
            ]
        });
        let columns = [
            "overview_layer",
            "|a|",
            "|delta|",
            "overview_slope",
            "overview_flat",
            "|dC/dw|",
            "overview_update",
            "log10 |delta|",
        ];
        self.table(&columns, rows.collect());
        if let Some(largest) = bars.largest {
            let factor = Real::exp(bars.range / (BAR - 1) as f64);
            let values: [(&str, &dyn std::fmt::Display); 2] =
                [("largest", &number(largest)), ("factor", &number(factor))];
            self.text(self.say("overview_bar", &values));
        }
    }

    /// The layers with most flat units, by their share of them.
    fn flat_layers(&mut self, mut findings: Vec<Finding>) {
        let units = |finding: &Finding| self.trace.dense()[finding.layer - 1].units;
        let share = |finding: &Finding| finding.count as f64 / units(finding) as f64;
        sort_by(&mut findings, |a, b| share(b).total_cmp(&share(a)).then(a.layer.cmp(&b.layer)));
        for finding in findings.iter().take(MOST_FLAT_LAYERS) {
            self.blocks.push(Block::Warning(finding.text(self.catalog)));
        }
        let more = findings.len().saturating_sub(MOST_FLAT_LAYERS);
        if more > 0 {
            self.text(self.say("overview_more_flat", &[("count", &more)]));
        }
    }
}

/// Whether a finding is of single units.
fn is_of_units(finding: &Finding) -> bool {
    matches!(finding.key, "dead" | "inactive" | "saturated")
}

/// Bars of the logarithm of some sizes: full for the largest, one character for the smallest, none for 0.
struct Bars {
    largest: Option<f64>,
    /// The logarithm of the largest over the smallest.
    range: f64,
}

impl Bars {
    fn new(sizes: &[f64]) -> Self {
        let seen = || sizes.iter().copied().filter(|size| *size > 0.0 && size.is_finite());
        let (largest, smallest) = (seen().reduce(f64::max), seen().reduce(f64::min));
        let range = largest.zip(smallest).map_or(1.0, |(largest, smallest)| largest / smallest);
        Self { largest, range: Real::ln(range.clamp(LEAST_RANGE, f64::MAX)) }
    }

    fn of(&self, size: f64) -> String {
        let Some(largest) = self.largest.filter(|_| size > 0.0 && size.is_finite()) else {
            return String::new();
        };
        let share = (1.0 - (Real::ln(largest) - Real::ln(size)) / self.range).clamp(0.0, 1.0);
        "█".repeat(1 + (share * (BAR - 1) as f64).round() as usize)
    }
}
