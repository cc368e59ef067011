//! Folders of images, from training to a prediction.

use crate::{Place, text};

fn png(value: impl Fn(u32) -> u8) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 8, 8);
    encoder.set_color(png::ColorType::Grayscale);
    let pixels: Vec<u8> = (0..64).map(value).collect();
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    file
}

/// Dark and bright images, twelve of each.
fn photos() -> Place {
    let place = Place::new();
    for (class, least) in [("dark", 0), ("bright", 128)] {
        std::fs::create_dir_all(place.path(&format!("photos/{class}"))).unwrap();
        for image in 0..12u32 {
            place.write(
                &format!("photos/{class}/{image:02}.png"),
                png(|pixel| least + ((pixel * 7 + image * 31) % 90) as u8),
            );
        }
    }
    place
}

#[test]
fn a_folder_of_images_is_trained_on_and_images_are_predicted() {
    let place = photos();
    let report = place.json(&["train", "photos", "--epochs", "30", "--json"]);
    assert_eq!((report["task"].as_str(), report["data"]["rows"].as_u64()), (Some("binary"), Some(24)));
    assert!(report["test"]["accuracy"].as_f64().unwrap() > 0.9, "{report}");
    for stage in ["read", "prepare", "train", "evaluate"] {
        assert!(report["stages"][stage].as_f64().unwrap() >= 0.0, "{report}");
    }
    // Single images, and a folder with the names of its files.
    place.write("new.png", png(|_| 3));
    let predicted = place.succeed(&["predict", "model.safetensors", "new.png", "photos/bright/03.png"]);
    assert_eq!(predicted, "label\ndark\nbright\n");
    let kept = place.succeed(&["predict", "model.safetensors", "photos", "--keep", "file"]);
    assert!(kept.starts_with("file,label\nbright/00.png,bright\n") && kept.lines().count() == 25, "{kept}");
    let accuracy = place.json(&["evaluate", "model.safetensors", "photos", "--json"]);
    assert!(accuracy.to_string().contains("accuracy"), "{accuracy}");
}

#[test]
fn the_size_of_images_can_be_named() {
    let place = photos();
    place.succeed(&["train", "photos", "--epochs", "1", "--image-size", "4x6", "--quiet"]);
    let inspected = place.succeed(&["inspect", "model.safetensors"]);
    assert!(inspected.contains("24 inputs"), "{inspected}");
    let output = place.run(&["train", "photos", "--image-size", "big"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("--image-size 48x64"), "{}", text(&output.stderr));
    // One damaged image is named, or counted.
    place.write("photos/dark/half.png", &place.read("photos/dark/00.png")[..40]);
    let output = place.run(&["train", "photos", "--epochs", "1"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("half.png"), "{}", text(&output.stderr));
    let output = place.run(&["train", "photos", "--epochs", "1", "--skip-bad-rows", "--quiet"]);
    assert!(output.status.success() && text(&output.stderr).contains("half.png"), "{}", text(&output.stderr));
}

#[cfg(not(feature = "parquet"))]
#[test]
fn a_build_without_parquet_names_the_one_that_reads_it() {
    let place = Place::new();
    for (name, content) in [
        ("t.parquet", &b"PAR1....PAR1"[..]),
        ("t.arrow", b"ARROW1\0\0"),
        ("t.arrows", b"\xff\xff\xff\xff\x10\0"),
    ] {
        place.write(name, content);
        let output = place.run(&["train", name, "--target", "y"]);
        let message = text(&output.stderr);
        assert!(output.status.code() == Some(1) && message.contains("--features parquet"), "{message}");
    }
}
