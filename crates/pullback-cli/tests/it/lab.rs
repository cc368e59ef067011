//! `lab`: the page and what it opens, from this machine alone.

use crate::Place;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

/// A server that ends with the test.
struct Served {
    child: Child,
    address: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Served {
    fn new(place: &Place, arguments: &[&str]) -> Self {
        let all: Vec<&str> = ["lab", "--no-open", "--lang", "en"].iter().chain(arguments).copied().collect();
        let mut child = place.command(&all).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("The page is at ").unwrap().to_owned();
        Self { child, address }
    }

    /// The head and the content of an answer.
    fn get(&self, name: &str) -> (String, Vec<u8>) {
        let host = self.address.strip_prefix("http://").unwrap().split('/').next().unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        write!(stream, "GET /{name} HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            reader.read_line(&mut head).unwrap();
        }
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap();
        let mut content = vec![0; length.parse().unwrap()];
        reader.read_exact(&mut content).unwrap();
        (head, content)
    }
}

#[test]
fn the_page_and_its_engine_are_served() {
    let place = Place::new();
    let served = Served::new(&place, &["--example", "mazur"]);
    assert!(served.address.ends_with("#lang=en&example=mazur"), "{}", served.address);
    let (head, page) = served.get("");
    assert!(head.starts_with("HTTP/1.1 200 OK") && head.contains("text/html"), "{head}");
    assert!(String::from_utf8(page).unwrap().contains("Content-Security-Policy"));
    let (head, engine) = served.get("engine.wasm");
    assert!(head.contains("application/wasm") && engine.starts_with(b"\0asm"), "{head}");
    assert!(served.get("given.json").0.starts_with("HTTP/1.1 404"));
}

#[test]
fn the_page_is_written_for_any_server() {
    let place = Place::new();
    let out = ["lab", "--lang", "en", "--example", "mazur", "--out", "page/of/mine"];
    let said = place.succeed(&out);
    assert!(said.contains("page/of/mine") && said.contains("index.html#lang=en&example=mazur"), "{said}");
    let served = Served::new(&place, &[]);
    for name in ["index.html", "engine.wasm", "messages/ko.json", "lessons/back-propagation.toml"] {
        assert_eq!(
            std::fs::read(place.path("page/of/mine").join(name)).unwrap(),
            served.get(name).1,
            "{name}"
        );
    }
    place.succeed(&["lab", "--expression", "x*y", "--at", "x=2,y=3", "--out", "formula"]);
    let given = std::fs::read_to_string(place.path("formula/given.json")).unwrap();
    assert!(given.contains("x*y"), "{given}");
    // What is there is not mixed with it.
    let refused = place.run(&out);
    let message = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && message.contains("page/of/mine is not empty"), "{message}");
}

#[test]
fn a_row_a_file_and_a_formula_are_what_the_page_opens() {
    let place = Place::new();
    place.succeed(&["train", "iris", "--hidden", "4", "--epochs", "2", "--quiet"]);
    place.succeed(&["explain", "model.safetensors", "iris", "--row", "61", "--save", "row.toml"]);
    let opened = |arguments: &[&str]| -> serde_json::Value {
        let served = Served::new(&place, arguments);
        assert!(served.address.contains("open=given.json"), "{}", served.address);
        serde_json::from_slice(&served.get("given.json").1).unwrap()
    };
    let row = opened(&["model.safetensors", "iris", "--row", "61", "--weight", "2.1.0"]);
    let file = opened(&["--file", "row.toml"]);
    assert_eq!(row["layer"], file["layer"]);
    assert_eq!(row["inputs"], file["inputs"]);
    assert_eq!(row["title"], "iris, row 61");
    let formula = opened(&["--expression", "(x + y) * z", "--at", "x=-2,y=5,z=-4"]);
    assert_eq!(formula["expression"], "(x + y) * z");
    assert_eq!(formula["at"]["y"], 5);
}
