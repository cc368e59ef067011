//! Another library's gradients beside ours, matched by the names and shapes of its parameters.
//!
//! A tensor is a parameter's if it has its name (`layers.0.weight`), or if its module stands at the same place: modules in
//! the order of their names, as `0.weight`, `2.weight` of PyTorch or `Dense_0/kernel`, `Dense_1/kernel` of Flax. Weights
//! may be of PyTorch's layout, a row for each unit and channels before rows of an image, or of JAX's, a column for each
//! unit and channels last.

use super::Trace;
use crate::error::{Error, Result};
use crate::model::ReadTensor;
use crate::network::{Form, Layer, Parameter, Role};

/// How a tensor has the numbers of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// As we have them.
    Same,
    /// As PyTorch: a row for each unit or filter; of an image, channel by channel.
    Torch,
    /// As JAX and Keras: a column for each unit or filter.
    Jax,
}

/// A parameter's gradient beside another library's.
#[derive(Debug, Clone, PartialEq)]
pub struct Beside {
    /// The parameter's place.
    pub place: usize,
    /// Its name.
    pub name: String,
    /// The tensor's name; absent where there is none.
    pub theirs: Option<String>,
    /// How it has the numbers.
    pub layout: Layout,
    /// The largest difference, relative to the larger of the two numbers, but at least to 1e-4 of the largest of the
    /// parameter's gradient.
    pub error: f64,
    /// The element with the largest difference, in row-major order, ours and theirs.
    pub worst: (usize, f64, f64),
    /// The first element whose difference is larger than what passes, ours and theirs.
    pub first: Option<(usize, f64, f64)>,
    /// How many differ by more than what passes.
    pub differing: usize,
}

/// What the rounding of f32 explains.
const SINGLE: f64 = 1e-4;
/// What the rounding of f64 explains.
const DOUBLE: f64 = 1e-8;

/// Compares the gradients of a trace with tensors; `tolerance` is the largest relative difference that passes, by default
/// what the tensors' precision explains.
///
/// # Errors
/// If no tensor is a parameter's, or one has another shape.
pub fn against(trace: &Trace, tensors: &[ReadTensor], tolerance: Option<f64>) -> Result<Vec<Beside>> {
    let trained: Vec<usize> =
        (0..trace.parameters().len()).filter(|&place| trace.parameters()[place].role.is_trained()).collect();
    let modules = modules(tensors);
    let forms = trace.network().forms()?;
    let mut all = Vec::new();
    // The layers with parameters, in order.
    let mut layers: Vec<&str> = Vec::new();
    for &place in &trained {
        let name = module_of(&trace.parameters()[place].name);
        if layers.last() != Some(&name) {
            layers.push(name);
        }
    }
    for &place in &trained {
        let parameter = &trace.parameters()[place];
        let own = tensors.iter().find(|tensor| bare(&tensor.name) == parameter.name);
        let at = layers.iter().position(|layer| *layer == module_of(&parameter.name));
        let by_place = || {
            let module = modules.get(at?)?;
            let of_module = tensors.iter().filter(|tensor| module_of(bare(&tensor.name)) == *module);
            of_module.into_iter().find(|tensor| is_kind(parameter.role, last_of(bare(&tensor.name))))
        };
        let Some(tensor) = own.or_else(by_place) else {
            let none = (0, f64::NAN, f64::NAN);
            all.push(Beside {
                place,
                name: parameter.name.clone(),
                theirs: None,
                layout: Layout::Same,
                error: f64::NAN,
                worst: none,
                first: None,
                differing: 0,
            });
            continue;
        };
        let reads = parameter.layer.and_then(|layer| image_before(trace, &forms, layer));
        let (layout, numbers) = ordered(trace, parameter, tensor, reads)?;
        let limit = tolerance.unwrap_or(if tensor.is_wide { DOUBLE } else { SINGLE });
        all.push(beside(trace, place, tensor, layout, &numbers, limit));
    }
    if all.iter().all(|own| own.theirs.is_none()) {
        let names: Vec<&str> = tensors.iter().take(4).map(|tensor| tensor.name.as_str()).collect();
        let ours: Vec<String> =
            trained.iter().take(4).map(|&place| trace.parameters()[place].name.clone()).collect();
        return Err(Error::model(format!("none of its tensors is a parameter's: {}", names.join(", ")))
            .help(format!("call them {}, or by module and `weight`, `bias`", ours.join(", "))));
    }
    Ok(all)
}

fn beside(
    trace: &Trace,
    place: usize,
    tensor: &ReadTensor,
    layout: Layout,
    theirs: &[f64],
    limit: f64,
) -> Beside {
    let ours = trace.gradient(place);
    let largest = ours.iter().chain(theirs).fold(0.0, |most: f64, x| most.max(x.abs()));
    let error = |at: usize| {
        let size = ours[at].abs().max(theirs[at].abs()).max(1e-4 * largest).max(f64::MIN_POSITIVE);
        (ours[at] - theirs[at]).abs() / size
    };
    let differs = |at: &usize| error(*at).is_nan() || error(*at) > limit;
    let pair = |at: usize| (at, ours[at], theirs[at]);
    let worst = (0..ours.len()).max_by(|a, b| error(*a).total_cmp(&error(*b))).unwrap_or(0);
    Beside {
        place,
        name: trace.parameters()[place].name.clone(),
        theirs: Some(tensor.name.clone()),
        layout,
        error: if ours.is_empty() { 0.0 } else { error(worst) },
        worst: pair(worst),
        first: (0..ours.len()).find(differs).map(pair),
        differing: (0..ours.len()).filter(differs).count(),
    }
}

/// The numbers of a tensor in our order.
fn ordered(
    trace: &Trace,
    parameter: &Parameter,
    tensor: &ReadTensor,
    reads: Option<crate::network::Image>,
) -> Result<(Layout, Vec<f64>)> {
    let sizes = parameter.shape.sizes();
    let x = &tensor.numbers;
    let is_column = matches!(last_of(bare(&tensor.name)), "kernel" | "w" | "W");
    let wrong = || {
        Error::model(format!(
            "{} is of shape {:?}, where the gradient of {} is of {}",
            tensor.name, tensor.shape, parameter.name, parameter.shape
        ))
        .help("store a weight as PyTorch or as JAX does")
    };
    let layer = parameter.layer.and_then(|layer| trace.network().layers.get(layer));
    match (layer, sizes, &tensor.shape[..]) {
        (Some(Layer::Convolution(_)), &[filters, _], &[a, b, c, d]) => {
            // PyTorch: filter, channel, row, column. JAX: row, column, channel, filter.
            let is_torch = a == filters && c == d && !is_column;
            let [size, channels] = if is_torch { [c, b] } else { [a, c] };
            if a * b * c * d != parameter.shape.elements() || (!is_torch && d != filters) {
                return Err(wrong());
            }
            let mut numbers = Vec::with_capacity(x.len());
            for filter in 0..filters {
                for row in 0..size {
                    for column in 0..size {
                        for channel in 0..channels {
                            numbers.push(if is_torch {
                                x[((filter * channels + channel) * size + row) * size + column]
                            } else {
                                x[((row * size + column) * channels + channel) * filters + filter]
                            });
                        }
                    }
                }
            }
            Ok((if is_torch { Layout::Torch } else { Layout::Jax }, numbers))
        }
        (_, &[units, inputs], &[rows, columns]) => {
            let is_transposed = [rows, columns] == [inputs, units] && (units != inputs || is_column);
            if !is_transposed && [rows, columns] != [units, inputs] {
                return Err(wrong());
            }
            // Behind an image, PyTorch has its numbers channel by channel.
            let from = |input: usize| match reads
                .filter(|_| !is_transposed && module_of(&tensor.name) != module_of(&parameter.name))
            {
                Some(image) => {
                    let (pixel, channel) = (input / image.channels, input % image.channels);
                    channel * image.height * image.width + pixel
                }
                None => input,
            };
            let at = |unit: usize, input: usize| {
                if is_transposed { x[from(input) * units + unit] } else { x[unit * inputs + from(input)] }
            };
            let numbers = (0..units).flat_map(|unit| (0..inputs).map(move |input| (unit, input)));
            let numbers = numbers.map(|(unit, input)| at(unit, input)).collect();
            Ok((if is_transposed { Layout::Jax } else { Layout::Torch }, numbers))
        }
        _ if x.len() == parameter.shape.elements() => Ok((Layout::Same, x.clone())),
        _ => Err(wrong()),
    }
}

/// The image that a layer reads as a row of numbers, if it reads one.
fn image_before(trace: &Trace, forms: &[Form], layer: usize) -> Option<crate::network::Image> {
    let is_dense = matches!(trace.network().layers.get(layer), Some(Layer::Dense(_)));
    // A flatten stands between, or nothing.
    let before = (0..=layer).rev().map(|at| &forms[at]).find_map(|form| match form {
        Form::Image(image) => Some(*image),
        _ => None,
    });
    let reads = forms.get(layer).map(|form| form.elements());
    before.filter(|image| {
        let elements = image.height * image.width * image.channels;
        let is_untouched = (0..layer)
            .rev()
            .take_while(|&at| !matches!(forms[at], Form::Image(_)))
            .all(|at| !matches!(trace.network().layers[at], Layer::Dense(_)));
        is_dense && is_untouched && reads == Some(elements) && image.channels > 1
    })
}

/// A name without what says that it is a gradient.
fn bare(name: &str) -> &str {
    let name = name.strip_suffix(".grad").unwrap_or(name);
    let name = name.strip_prefix("grad.").or_else(|| name.strip_prefix("grads/")).unwrap_or(name);
    name.strip_prefix("params/").unwrap_or(name)
}

fn module_of(name: &str) -> &str {
    let name = bare(name);
    name.rfind(['.', '/']).map_or("", |at| &name[..at])
}

fn last_of(name: &str) -> &str {
    name.rfind(['.', '/']).map_or(name, |at| &name[at + 1..])
}

/// Whether a tensor of that last name is of a role.
fn is_kind(role: Role, last: &str) -> bool {
    match role {
        Role::Weight(_) => matches!(last, "weight" | "kernel" | "w" | "W"),
        Role::Bias => matches!(last, "bias" | "b"),
        Role::Scale => matches!(last, "weight" | "scale" | "gamma"),
        Role::Shift => matches!(last, "bias" | "beta" | "shift" | "offset"),
        _ => false,
    }
}

/// The modules of tensors, in the order of their names.
fn modules(tensors: &[ReadTensor]) -> Vec<&str> {
    let mut modules: Vec<&str> = Vec::new();
    for tensor in tensors {
        let module = module_of(&tensor.name);
        if !modules.contains(&module) {
            modules.push(module);
        }
    }
    modules
}
