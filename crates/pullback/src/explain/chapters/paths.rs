//! A derivative that comes on several paths: of a norm directly, through the mean and through the variance; of a residual
//! block through the block and past it. It is their sum.

use crate::explain::page::Page;
use crate::explain::steps::Place;
use crate::graph::{NodeId, NodeRole};

impl Page<'_> {
    /// The paths on which derivatives come, a column each, for some elements of the first example. Nothing where there is
    /// only one.
    pub(super) fn paths(&mut self, derivative: NodeId, head: &str, elements: Vec<(String, usize)>) {
        let graph = self.trace.graph();
        let scale = self.delta_scale();
        let mut heads: Vec<String> = Vec::new();
        let mut sums: Vec<Vec<f64>> = Vec::new();
        for (_, element) in &elements {
            let mut own = vec![0.0; heads.len()];
            for part in self.reading.parts(Place { node: derivative, element: *element }) {
                let through = graph.node(part.node).origin.pulls_back;
                let role = through.map(|forward| graph.node(forward).origin.role).unwrap_or_default();
                let name = self.path_name(role);
                let at = heads.iter().position(|own| *own == name).unwrap_or_else(|| {
                    heads.push(name);
                    own.push(0.0);
                    heads.len() - 1
                });
                own.resize(heads.len(), 0.0);
                own[at] += scale * self.reading.value(part);
            }
            sums.push(own);
        }
        if heads.len() < 2 {
            return;
        }
        let rows = elements.iter().zip(&sums).map(|((name, element), sums)| {
            let whole = scale * self.reading.value(Place { node: derivative, element: *element });
            let parts = (0..heads.len()).map(|at| self.number(sums.get(at).copied().unwrap_or(0.0)));
            [name.clone()].into_iter().chain(parts).chain([self.number(whole)]).collect()
        });
        let rows: Vec<Vec<String>> = rows.collect();
        let columns = [self.catalog.get(head).to_owned()].into_iter().chain(heads);
        let columns = columns.chain([self.catalog.get("path.sum").to_owned()]).collect();
        self.text(self.catalog.get("paths_text").to_owned());
        self.table_of(columns, rows);
    }

    /// What a path is called, by what it leads through.
    fn path_name(&self, role: NodeRole) -> String {
        let key = match role {
            NodeRole::Normalized => "path.direct",
            NodeRole::Mean => "path.mean",
            NodeRole::Variance | NodeRole::MeanSquare => "path.variance",
            NodeRole::Unnamed => "path.other",
            _ => return self.catalog.role(role).to_owned(),
        };
        self.catalog.get(key).to_owned()
    }

    /// Batch norm in training takes the mean and the variance of the batch: of one example, nothing is left.
    pub(super) fn batch_of_one(&mut self) {
        let graph = &self.trace.lowered().graph;
        let takes_batch = graph
            .ids()
            .any(|id| graph.node(id).origin.role == NodeRole::RunningMean && graph.node(id).op().is_some());
        let has_image = !self.trace.images().is_empty();
        if takes_batch && self.trace.rows() == 1 && !has_image {
            self.blocks.push(crate::explain::Block::Warning(self.catalog.get("batch_of_one").to_owned()));
        }
    }
}
