//! What the passes cost, and what hinders learning.

use crate::explain::page::Page;
use crate::explain::{Block, diagnose};
use crate::report::number::significant;

impl Page<'_> {
    /// What the passes cost, and what other ways would.
    pub(super) fn work(&mut self) {
        let trace = self.trace;
        let forward = trace.lowered().graph.multiply_adds(&[trace.lowered().cost]);
        let places = (0..trace.parameters().len()).filter(|&at| trace.parameters()[at].role.is_trained());
        let nodes: Vec<_> = places.clone().map(|at| trace.gradient_node(at)).collect();
        let mut outputs = vec![trace.lowered().cost];
        outputs.extend(nodes);
        let full = trace.graph().multiply_adds(&outputs);
        let count: usize = places.map(|at| trace.parameters()[at].shape.elements()).sum();
        self.heading(self.catalog.get("work").to_owned());
        let ratio = significant(full as f64 / forward.max(1) as f64, 3);
        self.text(self.say(
            "work_text",
            &[
                ("forward", &forward),
                ("full", &full),
                ("ratio", &ratio),
                ("count", &count),
                ("differences", &significant(2.0 * count as f64 * forward as f64, 3)),
            ],
        ));
    }

    pub(super) fn findings(&mut self) {
        for finding in diagnose(self.trace) {
            self.blocks.push(Block::Warning(finding.text(self.catalog)));
        }
    }
}
