use crate::{numbers, read_as};
use proptest::prelude::*;
use pullback_data::{ReadOptions, read};
use std::io::Write;

fn idx(sizes: &[u32], bytes: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, 8, sizes.len() as u8];
    file.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
    file.extend(bytes);
    file
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A folder with images and labels for training and testing.
fn folder(ending: &str, pack: fn(&[u8]) -> Vec<u8>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: Vec<u8>| {
        std::fs::write(folder.path().join(format!("{name}{ending}")), pack(&content)).unwrap();
    };
    write("train-images-idx3-ubyte", idx(&[3, 2, 2], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255]));
    write("train-labels-idx1-ubyte", idx(&[3], &[7, 0, 9]));
    write("t10k-images-idx3-ubyte", idx(&[1, 2, 2], &[0, 0, 0, 1]));
    write("t10k-labels-idx1-ubyte", idx(&[1], &[3]));
    folder
}

#[test]
fn a_folder_of_four_files_is_training_and_test_images() {
    for (folder, threads) in
        [(folder("", <[u8]>::to_vec), 1), (folder(".gz", gzip), 1), (folder(".gz", gzip), 2)]
    {
        let parts = read(folder.path(), &ReadOptions { threads, ..ReadOptions::default() }).unwrap();
        assert_eq!(numbers(&parts, "label"), [7.0, 0.0, 9.0]);
        let bytes = parts.train.column("image").unwrap().bytes().expect("images are bytes");
        assert_eq!((bytes.shape(), bytes.row(2)), (&[2, 2][..], &[9, 10, 11, 255][..]));
        assert_eq!(parts.test.unwrap().rows(), 1);
    }
}

#[test]
fn one_file_of_images_finds_its_labels() {
    let folder = folder("", <[u8]>::to_vec);
    let parts = read(&folder.path().join("t10k-images-idx3-ubyte"), &ReadOptions::default()).unwrap();
    assert_eq!(numbers(&parts, "label"), [3.0]);
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let check = |name: &str, content: Vec<u8>, part: &str| {
        let folder = folder("", <[u8]>::to_vec);
        std::fs::write(folder.path().join(name), content).unwrap();
        for threads in [1, 2] {
            let options = ReadOptions { threads, ..ReadOptions::default() };
            let message = read(folder.path(), &options).unwrap_err().to_string();
            assert!(message.contains(part) && message.contains(name), "`{part}` is not in: {message}");
        }
    };
    check("train-labels-idx1-ubyte", idx(&[2], &[7, 0]), "3");
    check("train-images-idx3-ubyte", idx(&[3, 2, 2], &[1, 2, 3]), "");
    check("train-images-idx3-ubyte", idx(&[u32::MAX, u32::MAX, u32::MAX], &[1, 2, 3]), "");
    check("train-images-idx3-ubyte", vec![0, 0, 8], "");
    check("train-images-idx3-ubyte", Vec::new(), "");
    check("t10k-labels-idx1-ubyte", idx(&[2], &[7, 0]), "1");
    let folder = folder("", <[u8]>::to_vec);
    std::fs::remove_file(folder.path().join("train-labels-idx1-ubyte")).unwrap();
    let message = read(folder.path(), &ReadOptions::default()).unwrap_err().to_string();
    assert!(message.contains("label"), "{message}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn a_damaged_file_ends_in_a_table_or_an_error(
        at in 0usize..28, byte in any::<u8>(), length in 0usize..=28,
    ) {
        let mut content = idx(&[3, 2, 2], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255]);
        content[at] = byte;
        content.truncate(length);
        let _ = read_as("images", &content, &ReadOptions::default());
        let _ = read_as("images.gz", &gzip(&content), &ReadOptions::default());
    }
}
