//! Model files: what is written is read again, and nothing else is taken for a model.

use proptest::prelude::*;
use pullback::data::{Bytes, Column, DataOptions, Preprocessing, Table, Values, builtin};
use pullback::model::{Fingerprint, Model, Partition, Run, Test};
use pullback::network::{Activation, Cost, Network};
use pullback::train::{Machine, Silent, Training, train};
use std::path::Path;

fn trained() -> (Model<f32>, Table) {
    let table = builtin::load("iris", 0).unwrap();
    let rows: Vec<usize> = (0..table.rows()).collect();
    let preprocessing = Preprocessing::fit(&table, &rows, &DataOptions::default()).unwrap();
    let data = preprocessing.apply::<f32>(&table).unwrap();
    let network = Network::dense(4, &[5], 3, Activation::Tanh, Cost::SoftmaxCrossEntropy);
    let training = Training { epochs: 2, ..Training::default() };
    let trained =
        train(&network, &training, &data, &rows, &[], &Machine::with_threads(1), &mut Silent).unwrap();
    let run = Run {
        training,
        history: trained.history,
        data: Some(Fingerprint::of(&table, rows.len()).unwrap()),
        rows: Some(Partition::new(table.rows(), vec![], Test::Training).unwrap()),
        configuration: serde_json::Value::Null,
        began: None,
    };
    let model = Model::new(network, trained.parameters).unwrap();
    (model.with_preprocessing(preprocessing).unwrap().with_run(run).unwrap(), table)
}

#[test]
fn the_fingerprint_is_fnv_1a_of_all_columns() {
    for width in [1, 7, 8, 9, 16, 24, 31] {
        // Runs of zeros of every length, also across rows.
        let bytes: Vec<u8> = (0..5 * width).map(|i| if i % 23 < 17 { 0 } else { i as u8 }).collect();
        let numbers = vec![0.0, -0.0, 1.5, f64::NAN, 3.0];
        let want = (["image".as_bytes(), &bytes, b"label"].into_iter().map(<[u8]>::to_vec))
            .chain(numbers.iter().map(|number| number.to_le_bytes().to_vec()))
            .flat_map(|part| [part, vec![0xff]].concat())
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            });
        let images = Values::Bytes(Bytes::new(bytes, vec![width], 255).unwrap());
        let columns = vec![Column::new("image", images), Column::new("label", Values::Numbers(numbers))];
        let table = Table::new("t", columns).unwrap();
        assert_eq!(Fingerprint::of(&table, 5).unwrap().hash, format!("{want:016x}"), "rows of {width} bytes");
    }
}

fn load(bytes: &[u8]) -> Result<Model<f32>, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    std::fs::write(&path, bytes).unwrap();
    Model::load(&path).map_err(|error| error.to_string())
}

#[test]
fn what_is_saved_is_loaded_bit_for_bit() {
    let (model, table) = trained();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    model.save(&path).unwrap();
    let again = Model::<f32>::load(&path).unwrap();
    assert_eq!(model, again);
    assert_eq!(Model::<f32>::from_bytes(&model.to_bytes().unwrap()).unwrap(), model);
    assert_eq!(
        model.predict(&table, &Machine::with_threads(1)).unwrap(),
        again.predict(&table, &Machine::with_threads(2)).unwrap()
    );
    assert_eq!(model.to_bytes().unwrap(), again.to_bytes().unwrap());
    // The other precision holds the same numbers.
    let wide = Model::<f64>::load(&path).unwrap();
    assert_eq!(wide.parameters()[0][0], f64::from(model.parameters()[0][0]));
}

#[test]
fn any_safetensors_reader_finds_the_weights_under_their_names() {
    let (model, _) = trained();
    let bytes = model.to_bytes().unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mut names = tensors.names();
    names.sort();
    assert_eq!(names, ["layers.0.bias", "layers.0.weight", "layers.2.bias", "layers.2.weight"]);
    let weight = tensors.tensor("layers.0.weight").unwrap();
    assert_eq!(weight.shape(), [5, 4]);
    assert_eq!(weight.data()[..4], model.parameters()[0][0].to_le_bytes());
}

#[test]
fn what_is_no_model_is_refused_with_the_reason() {
    let (model, _) = trained();
    let whole = model.to_bytes().unwrap();
    let check = |bytes: &[u8], part: &str| {
        let message = load(bytes).err().unwrap_or_else(|| panic!("loaded, instead of `{part}`"));
        assert!(message.contains(part) && message.contains("m.safetensors"), "`{part}` is not in: {message}");
    };
    check(b"", "empty");
    check(b"hello, this is no model at all", "no model");
    for length in [1, 7, 8, 9, 100, whole.len() / 2, whole.len() - 1] {
        check(&whole[..length], "cut off");
    }
    let mut lying = whole.clone();
    lying[..8].copy_from_slice(&(1_u64 << 60).to_le_bytes());
    check(&lying, "damaged");
    let view = |data: &'static [u8]| {
        safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![1], data).unwrap()
    };
    check(&safetensors::serialize([("w", view(&[0; 4]))], None).unwrap(), "another program");

    let mut diverged = whole.clone();
    let end = diverged.len();
    diverged[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    check(&diverged, "not finite");
    let mut parameters = model.parameters().to_vec();
    parameters[1][0] = f32::INFINITY;
    let message = Model::new(model.network().clone(), parameters).unwrap_err().to_string();
    assert!(message.contains("`layers.0.bias`") && message.contains("not finite"), "{message}");
    // A file with the right description and other tensors.
    let tensors = safetensors::SafeTensors::deserialize(&whole).unwrap();
    let (_, header) = safetensors::SafeTensors::read_metadata(&whole).unwrap();
    let without: Vec<_> = tensors.tensors().into_iter().filter(|(name, _)| name != "layers.2.bias").collect();
    check(&safetensors::serialize(without, header.metadata().clone()).unwrap(), "lacks `layers.2.bias`");
    let reshaped: Vec<_> = (tensors.tensors().into_iter())
        .map(|(name, tensor)| {
            let elements = tensor.shape().iter().product();
            let view = safetensors::tensor::TensorView::new(tensor.dtype(), vec![elements], tensor.data());
            (name, view.unwrap())
        })
        .collect();
    check(&safetensors::serialize(reshaped, header.metadata().clone()).unwrap(), "shape");
}

#[test]
fn saving_leaves_the_old_file_where_it_fails() {
    let (model, _) = trained();
    let folder = tempfile::tempdir().unwrap();
    assert!(model.save(&folder.path().join("none/m")).is_err());
    assert!(model.save(folder.path()).is_err());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
    assert!(Model::<f32>::load(folder.path()).unwrap_err().to_string().contains("directory"));
    assert!(Model::<f32>::load(Path::new("none/m")).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn a_damaged_file_ends_in_a_model_or_an_error(at in 0.0f64..1.0, bit in 0u8..8, cut in 0.0f64..2.0) {
        let (model, _) = trained();
        let mut bytes = model.to_bytes().unwrap();
        let length = bytes.len();
        bytes[(at * length as f64) as usize] ^= 1 << bit;
        bytes.truncate((cut * length as f64) as usize);
        if let Ok(model) = load(&bytes) {
            // A changed digit somewhere may go unnoticed; what is loaded must still be usable.
            let _ = model.to_bytes().unwrap();
        }
    }
}
