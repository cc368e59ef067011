//! A trace as a JSON document, for programs: the same numbers with all their digits.

use crate::explain::{Trace, diagnose};
use serde_json::{Value, json};

/// The version of the document's layout.
pub const VERSION: u32 = 1;

/// Weights beyond this number are left to `pullback gradients`.
const MOST_WEIGHTS: usize = 20_000;

/// The document: `version`, `rows`, `cost`, `data_cost`, `prediction`, `images`, `layers` and `findings`. Images
/// are convolutions and poolings, their numbers one after another; the others are dense layers. A layer has
/// its `input`, `z`, `delta` (`[rows, width]` each), its `links` from z towards the cost (each with
/// `operation`, `value`, `slope` and `upstream`), and `weight`, `bias` with their gradients, unless there
/// are more than 20,000 of them.
pub fn document(trace: &Trace, title: &str) -> Value {
    let matrix = |id, width: usize| -> Vec<Vec<f64>> {
        (0..trace.rows()).map(|row| (0..width).map(|unit| trace.at(id, row, unit)).collect()).collect()
    };
    let layers: Vec<Value> = trace
        .dense()
        .iter()
        .enumerate()
        .map(|(position, dense)| {
            let links: Vec<Value> = (dense.links.iter())
                .map(|link| {
                    let op = trace.lowered().graph.node(link.node).op();
                    json!({
                        "operation": op.map(|op| op.name()),
                        "is_cost": link.is_cost,
                        "value": if link.is_cost { Value::Null } else { json!(matrix(link.node, dense.units)) },
                        "slope": matrix(link.slope, dense.units),
                        "upstream": link.upstream.map(|id| matrix(id, dense.units)),
                    })
                })
                .collect();
            let weights = dense.units * dense.inputs <= MOST_WEIGHTS;
            json!({
                "layer": position + 1,
                "place": dense.layer,
                "inputs": dense.inputs,
                "units": dense.units,
                "input": matrix(dense.input, dense.inputs),
                "z": matrix(dense.sum, dense.units),
                "delta": matrix(dense.delta, dense.units),
                "links": links,
                "weight": weights.then(|| trace.parameter(dense.weight)),
                "weight_gradient": weights.then(|| trace.gradient(dense.weight)),
                "bias": dense.bias.map(|bias| trace.parameter(bias)),
                "bias_gradient": dense.bias.map(|bias| trace.gradient(bias)),
            })
        })
        .collect();
    let images: Vec<Value> = (trace.images().iter())
        .map(|layer| {
            let filters = layer.filters.as_ref().map(|filters| {
                json!({
                    "size": filters.windows.size(),
                    "weight": trace.parameter(filters.weight),
                    "weight_gradient": trace.gradient(filters.weight),
                    "bias": filters.bias.map(|bias| trace.parameter(bias)),
                    "bias_gradient": filters.bias.map(|bias| trace.gradient(bias)),
                })
            });
            json!({
                "place": layer.layer,
                "kind": if filters.is_some() { "convolution" } else { "max_pool" },
                "reads": layer.reads,
                "makes": layer.makes,
                "result": trace.value(layer.result),
                "delta": trace.value(layer.delta),
                "filters": filters,
            })
        })
        .collect();
    let findings: Vec<Value> = (diagnose(trace).iter())
        .map(|f| {
            json!({
                "kind": f.key, "layer": f.layer, "unit": f.unit, "count": f.count, "value": f.value,
                "operation": f.operation,
            })
        })
        .collect();
    json!({
        "version": VERSION,
        "title": title,
        "rows": trace.rows(),
        "cost": trace.cost(),
        "data_cost": trace.data_cost(),
        "prediction": matrix(trace.lowered().prediction, trace.network().outputs()),
        "images": images,
        "layers": layers,
        "findings": findings,
    })
}
