//! The import table of ARCHITECTURE.md against the `crate::folder` paths of the code.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

type Imports = BTreeMap<String, BTreeSet<String>>;

/// The rows of the table under the heading "Who may import whom".
fn allowed() -> Imports {
    let page =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ARCHITECTURE.md")).unwrap();
    let section = page.split("## Who may import whom").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with('|')).skip(2);
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        (cells[1].to_owned(), cells[2].split_whitespace().map(str::to_owned).collect())
    })
    .collect()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// What each folder names after `crate::`, its own unit tests left out.
fn actual() -> Imports {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let roots = ["pullback", "pullback-graph"].map(|name| crates.join(name).join("src"));
    let mut files = Vec::new();
    roots.iter().for_each(|root| sources(root, &mut files));
    let mut imports = Imports::new();
    for file in files {
        let within = roots.iter().find_map(|root| file.strip_prefix(root).ok()).unwrap();
        let folder = within.iter().next().unwrap().to_str().unwrap();
        let folder = folder.trim_end_matches(".rs").to_owned();
        if folder == "lib" {
            continue;
        }
        let own = imports.entry(folder.clone()).or_default();
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for path in line.split("crate::").skip(1) {
                let name = path.split(|c: char| !c.is_ascii_lowercase() && c != '_').next().unwrap();
                if !name.is_empty() && name != folder {
                    own.insert(name.to_owned());
                }
            }
        }
    }
    imports
}

#[test]
fn folders_import_only_what_the_table_allows() {
    let (allowed, actual) = (allowed(), actual());
    let names = |imports: &Imports| imports.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&allowed), names(&actual), "the folders of the table and of the code");
    assert!(actual["train"].contains("differentiate"), "the search finds imports");
    for (folder, imports) in &actual {
        let excess: Vec<_> = imports.difference(&allowed[folder]).collect();
        assert!(excess.is_empty(), "{folder} imports {excess:?}, which ARCHITECTURE.md does not allow");
    }
}

/// Commands share what stands beside them, and nothing else.
#[test]
fn no_command_imports_another() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pullback-cli/src/commands");
    let mut files = Vec::new();
    sources(&folder, &mut files);
    let name = |file: &PathBuf| file.file_stem().unwrap().to_str().unwrap().to_owned();
    let names: BTreeSet<String> = files.iter().map(name).filter(|name| name != "mod").collect();
    assert!(names.contains("train") && names.contains("evaluate"), "{names:?}");
    for file in files.iter().filter(|file| name(file) != "mod") {
        let text = fs::read_to_string(file).unwrap();
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for start in ["super::", "commands::"] {
                for path in line.split(start).skip(1) {
                    let first = path.split(|c: char| !c.is_ascii_lowercase() && c != '_').next().unwrap();
                    assert!(!names.contains(first), "{} imports the command {first}", name(file));
                }
            }
        }
        assert!(!text.contains("use super::{"), "{} takes things of the list of commands", name(file));
    }
}
