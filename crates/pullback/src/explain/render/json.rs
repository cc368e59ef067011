//! A trace as a JSON document, for programs: the same numbers with all their digits.

use crate::explain::{
    Circuit, Focus, MOST_LAYERS_IN_FULL, Trace, VERSION, WorkedExample, diagnose, layer_figures,
};
use crate::train::Training;
use serde_json::{Value, json};

/// Weights beyond this number are left to `pullback gradients`.
const MOST_WEIGHTS: usize = 20_000;

/// The document: `version`, `rows`, `cost`, `data_cost`, `prediction`, `images`, `layers`, `figures` and `findings`.
/// Images are convolutions and poolings, their numbers one after another; the others are dense layers. A layer has
/// its `input`, `z`, `delta` (`[rows, width]` each), its `links` from z towards the cost (each with
/// `operation`, `value`, `slope` and `upstream`), and `weight`, `bias` with their gradients, unless there
/// are more than 20,000 of them. `figures` has an entry for each layer with weights, whose `update_ratio` is that of a
/// first step of `training`. `state` is the worked example itself, from which all of it can be made again. Of a network
/// with more layers than are shown in full, `images` and `layers` are null unless `focus` is every layer.
pub fn document(
    trace: &Trace,
    title: &str,
    (training, focus): (&Training, Focus),
    worked: Option<&WorkedExample>,
) -> Value {
    let is_whole = focus != Focus::All || trace.weighted_layers().len() <= MOST_LAYERS_IN_FULL;
    let count: usize = trace.parameters().iter().map(|parameter| parameter.shape.elements()).sum();
    let worked = worked.filter(|_| count <= MOST_WEIGHTS);
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
    let figures: Vec<Value> = (layer_figures(trace, training).iter())
        .map(|layer| {
            json!({
                "layer": layer.name.to_string(),
                "units": layer.units,
                "activation_norm": layer.activation,
                "delta_norm": layer.delta,
                "mean_slope": layer.slope,
                "flat_units": layer.flat,
                "gradient_norm": layer.gradient,
                "weight_norm": layer.weights,
                "update_ratio": layer.update,
            })
        })
        .collect();
    let findings: Vec<Value> = (diagnose(trace).iter())
        .map(|f| {
            json!({
                "kind": f.key, "layer": f.layer, "unit": f.unit, "count": f.count, "value": f.value,
                "operation": f.operation,
                "blame": f.blame.as_ref().map(|blame| json!({
                    "layer": blame.layer.to_string(),
                    "factor": blame.factor.name(),
                    "value": blame.value,
                    "passes": blame.passes,
                })),
            })
        })
        .collect();
    json!({
        "version": VERSION,
        "title": title,
        "state": worked.map(WorkedExample::to_json),
        "rows": trace.rows(),
        "cost": trace.cost(),
        "data_cost": trace.data_cost(),
        "prediction": matrix(trace.lowered().prediction, trace.network().outputs()),
        "images": is_whole.then_some(images),
        "layers": is_whole.then_some(layers),
        "figures": figures,
        "findings": findings,
    })
}

/// The document of a formula: `version`, `state`, the `output` and its `value`, `variables` with their derivatives, and
/// `gates` with what arrives, the local derivatives and what is passed on.
pub fn circuit(circuit: &Circuit, title: &str, worked: &WorkedExample) -> Value {
    let variables: Vec<Value> = (circuit.variables.iter())
        .map(|(name, node)| {
            json!({ "name": name, "value": circuit.value(*node), "derivative": circuit.derivative(*node) })
        })
        .collect();
    let gates: Vec<Value> = (circuit.gates.iter())
        .map(|gate| {
            let operands: Vec<Value> = (gate.operands.iter())
                .map(|operand| {
                    json!({
                        "name": operand.name,
                        "value": circuit.value(operand.node),
                        "local": operand.local,
                        "passed": operand.passed,
                    })
                })
                .collect();
            json!({
                "name": gate.name,
                "formula": gate.formula,
                "value": circuit.value(gate.node),
                "arrives": circuit.adjoints[gate.node.index()].map(|_| circuit.derivative(gate.node)),
                "operands": operands,
            })
        })
        .collect();
    json!({
        "version": VERSION,
        "title": title,
        "state": worked.to_json(),
        "output": circuit.output_name,
        "value": circuit.value(circuit.output),
        "variables": variables,
        "gates": gates,
    })
}
