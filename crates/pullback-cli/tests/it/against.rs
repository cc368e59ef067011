//! Another library's gradients beside ours: PyTorch's and JAX's names and layouts, made by tests/oracle/gradients.py.

use crate::{Place, root, text};

fn oracle(place: &Place) {
    for name in ["gradients.toml", "gradients.torch.safetensors", "gradients.jax.safetensors"] {
        let file = root().join("crates/pullback/tests/oracle").join(name);
        std::fs::copy(file, place.path(name)).unwrap();
    }
}

#[test]
fn gradients_of_pytorch_and_jax_agree_with_ours() {
    let place = Place::new();
    oracle(&place);
    for (file, layout) in [("gradients.torch.safetensors", "torch"), ("gradients.jax.safetensors", "jax")] {
        let check = ["check", "--against", file, "gradients.toml", "--lang", "en"];
        let shown = place.succeed(&check);
        assert!(shown.contains("the gradients agree"), "{shown}");
        let json = place.json(&[&check[..], &["--json"]].concat());
        let parameters = json["parameters"].as_array().unwrap();
        assert_eq!((&json["passes"], parameters.len()), (&true.into(), 6), "{json}");
        assert!(parameters.iter().any(|own| own["layout"] == layout), "{json}");
        let most = if layout == "torch" { 1e-12 } else { 1e-5 };
        assert!(parameters.iter().all(|own| own["error"].as_f64().unwrap() < most), "{json}");
    }
}

#[test]
fn the_first_gradient_that_deviates_is_named() {
    let place = Place::new();
    oracle(&place);
    let bytes = place.read("gradients.torch.safetensors");
    // One number of the last weight, and one of the first bias.
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let changed: Vec<(String, Vec<usize>, Vec<u8>)> = tensors
        .tensors()
        .into_iter()
        .map(|(name, view)| {
            let mut data = view.data().to_vec();
            let at = match &*name {
                "6.weight" => Some(5),
                "4.bias" => Some(1),
                _ => None,
            };
            if let Some(at) = at {
                let number = f64::from_le_bytes(data[at * 8..][..8].try_into().unwrap());
                data[at * 8..][..8].copy_from_slice(&(number * 1.001).to_le_bytes());
            }
            (name, view.shape().to_vec(), data)
        })
        .collect();
    let views = changed.iter().map(|(name, shape, data)| {
        let view =
            safetensors::tensor::TensorView::new(safetensors::Dtype::F64, shape.clone(), data).unwrap();
        (name.clone(), view)
    });
    place.write("wrong.safetensors", safetensors::serialize(views, None).unwrap());
    let output = place.run(&["check", "--against", "wrong.safetensors", "gradients.toml", "--lang", "en"]);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("the first that deviates is the gradient of b[1][1]"), "{message}");
    let table = text(&output.stdout);
    assert!(table.contains("w[2][1,1]"), "{table}");
    // Korean says the same.
    let korean = place.run(&["check", "--against", "wrong.safetensors", "gradients.toml", "--lang", "ko"]);
    assert!(text(&korean.stderr).contains("b[1][1]의 기울기"), "{}", text(&korean.stderr));
    // Looser passes.
    place.succeed(&["check", "--against", "wrong.safetensors", "gradients.toml", "--tolerance", "0.01"]);
    // What is no such file, and tensors of something else.
    place.write("text.safetensors", "nothing");
    let output = place.run(&["check", "--against", "text.safetensors", "gradients.toml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("safetensors"), "{}", text(&output.stderr));
}

#[test]
fn a_worked_example_is_checked_by_differences() {
    let place = Place::new();
    oracle(&place);
    let shown = place.succeed(&["check", "gradients.toml", "--lang", "en"]);
    assert!(shown.contains("the gradients are right") && shown.contains("w[c1]["), "{shown}");
    let korean = place.succeed(&["check", "gradients.toml", "--lang", "ko"]);
    assert!(korean.contains("기울기가 맞습니다"), "{korean}");
    let one = place.json(&["check", "gradients.toml", "--weight", "w[c1][0,1,0,1]", "--json"]);
    assert_eq!(one["parameters"][0]["worst"], "w[c1][0,1,0,1]", "{one}");
    assert_eq!(
        (one["parameters"].as_array().unwrap().len(), &one["parameters"][0]["checked"]),
        (1, &1.into())
    );
}
