//! House rules as tests: who may know whom, module heads, file lengths, folder lists.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Longest file, lines.
const LINES_MAX: usize = 450;

/// Which top-level modules each folder or file of `src` may name with `crate::`.
/// `clock` is free for all but the pure and the generic parts.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("domain", &["domain"]),
    ("supervision", &["supervision"]),
    ("clock", &["clock"]),
    ("config", &["config", "domain", "clock"]),
    ("emergency", &["emergency", "clock"]),
    ("net", &["net", "clock", "config"]),
    ("venues", &["venues", "domain", "clock", "config"]),
    ("notify", &["notify", "net", "domain", "clock", "config"]),
    ("checks", &["checks", "domain", "clock", "config"]),
    ("db", &["db", "domain", "clock", "config"]),
    ("paper_exchange", &["paper_exchange", "domain", "clock", "venues"]),
    ("telemetry", &["telemetry", "supervision", "actors", "domain", "clock"]),
    (
        "actors",
        &[
            "actors",
            "supervision",
            "domain",
            "venues",
            "notify",
            "net",
            "checks",
            "db",
            "paper_exchange",
            "clock",
            "config",
        ],
    ),
    ("web", &["web", "actors", "supervision", "domain", "db", "telemetry", "config", "clock"]),
    (
        "app",
        &[
            "app",
            "actors",
            "web",
            "supervision",
            "config",
            "telemetry",
            "notify",
            "emergency",
            "paper_exchange",
            "venues",
            "domain",
            "db",
            "clock",
        ],
    ),
    (
        "cli",
        &[
            "cli",
            "app",
            "actors",
            "config",
            "db",
            "supervision",
            "telemetry",
            "paper_exchange",
            "venues",
            "domain",
            "clock",
        ],
    ),
    ("lib", &[]),
    ("main", &[]),
];

/// Crates that a folder must not name.
const MUST_NOT_USE: &[(&str, &[&str])] = &[
    ("domain", &["actix", "actix_rt", "actix_web", "tokio", "reqwest", "diesel", "fastrand", "tracing"]),
    ("venues", &["actix", "actix_rt", "actix_web", "diesel"]),
    ("notify", &["actix", "actix_rt", "actix_web", "diesel"]),
    ("db", &["actix", "actix_rt", "actix_web", "reqwest"]),
    ("config", &["actix", "actix_rt", "actix_web", "tokio", "reqwest", "diesel"]),
    ("supervision", &["actix_web", "reqwest", "diesel", "serde_yaml"]),
];

struct Source {
    path: PathBuf,
    /// The folder or file directly under `src`.
    top: String,
    text: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    collect(&root, &mut found);
    assert!(found.len() > 20, "the sources were not found under {}", root.display());
    let describe = |path: PathBuf| {
        let below = path.strip_prefix(&root).unwrap();
        let first = below.components().next().unwrap().as_os_str().to_str().unwrap();
        let top = first.trim_end_matches(".rs").to_owned();
        let text = fs::read_to_string(&path).unwrap();
        Source { path: below.to_owned(), top, text }
    };
    found.into_iter().map(describe).collect()
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            collect(&entry, found);
        } else if entry.extension().is_some_and(|e| e == "rs") {
            found.push(entry);
        }
    }
}

/// Code lines: no comments, nothing of the unit tests at the end of a file.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(n, line)| (n + 1, line))
        .take_while(|(_, line)| *line != "#[cfg(test)]")
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// The identifiers that follow `prefix` in a line.
fn after<'a>(line: &'a str, prefix: &str) -> Vec<&'a str> {
    let ends = |rest: &'a str| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
    line.match_indices(prefix)
        .filter(|(at, _)| !line[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':'))
        .flat_map(|(at, _)| {
            let rest = &line[at + prefix.len()..];
            match rest.strip_prefix('{') {
                Some(group) => group.split(',').map(|part| ends(part.trim())).collect(),
                None => vec![ends(rest)],
            }
        })
        .collect()
}

#[test]
fn every_module_has_a_head() {
    let without: Vec<_> =
        sources().into_iter().filter(|s| !s.text.starts_with("//!")).map(|s| s.path).collect();
    assert!(without.is_empty(), "no `//!` head: {without:?}");
}

#[test]
fn no_file_is_too_long() {
    let long: Vec<_> = sources()
        .into_iter()
        .map(|s| (s.text.lines().count(), s.path))
        .filter(|(lines, _)| *lines > LINES_MAX)
        .collect();
    assert!(long.is_empty(), "over {LINES_MAX} lines: {long:?}");
}

#[test]
fn the_arrows_point_one_way() {
    let mut wrong = Vec::new();
    for source in sources() {
        let Some((_, allowed)) = MAY_KNOW.iter().find(|(top, _)| *top == source.top) else {
            panic!("{}: add the folder to MAY_KNOW and to ARCHITECTURE.md", source.path.display());
        };
        for (number, line) in code(&source.text) {
            for known in after(line, "crate::") {
                let is_module = MAY_KNOW.iter().any(|(top, _)| *top == known);
                if is_module && !allowed.contains(&known) {
                    wrong.push(format!("{}:{number} knows {known}", source.path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn pure_and_generic_parts_use_no_machinery() {
    let mut wrong = Vec::new();
    for source in sources() {
        let Some((_, banned)) = MUST_NOT_USE.iter().find(|(top, _)| *top == source.top) else { continue };
        for (number, line) in code(&source.text) {
            for one in *banned {
                let named = line.match_indices(&format!("{one}::")).any(|(at, _)| {
                    !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
                });
                if named {
                    wrong.push(format!("{}:{number} uses {one}", source.path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_one_module_knows_yaml() {
    let wrong: Vec<_> = sources()
        .into_iter()
        .filter(|s| !s.path.starts_with("config/yaml") && s.path != Path::new("config/yaml.rs"))
        .filter(|s| code(&s.text).any(|(_, line)| line.contains("serde_yaml::")))
        .map(|s| s.path)
        .collect();
    assert!(wrong.is_empty(), "serde_yaml is named outside config::yaml: {wrong:?}");
}

#[test]
fn a_mod_file_is_a_list() {
    // `mod.rs` holds the trait or the list of its folder; functions with bodies belong in files.
    const FUNCTIONS_MAX: usize = 6;
    let has_body = |line: &str| line.contains("fn ") && line.trim_end().ends_with('{');
    let wrong: Vec<_> = sources()
        .into_iter()
        .filter(|s| s.path.ends_with("mod.rs"))
        .map(|s| (code(&s.text).filter(|(_, line)| has_body(line)).count(), s.path))
        .filter(|(functions, _)| *functions > FUNCTIONS_MAX)
        .collect();
    assert!(wrong.is_empty(), "too much in a mod.rs: {wrong:?}");
}

#[test]
fn every_component_hangs_in_the_tree_and_every_command_in_the_list() {
    let all = sources();
    let list = |top: &str| all.iter().find(|s| s.path == Path::new(top).join("mod.rs")).unwrap().text.clone();
    for (top, list) in [("actors", list("actors")), ("web", list("web")), ("cli", list("cli"))] {
        for source in all.iter().filter(|s| s.top == top) {
            let parts: Vec<_> = source.path.components().collect();
            let name = source.path.file_stem().unwrap().to_str().unwrap();
            if parts.len() == 2 && name != "mod" {
                assert!(list.contains(&format!("mod {name};")), "{} is not listed", source.path.display());
            }
        }
    }
    let tree = list("actors") + &all.iter().find(|s| s.path == Path::new("actors/tree.rs")).unwrap().text;
    for source in all.iter().filter(|s| s.top == "actors") {
        let parts: Vec<_> = source.path.iter().map(|part| part.to_str().unwrap()).collect();
        // A component is a file, or a folder with a file that declares it.
        let name = if let [_, folder, _] = parts[..] { folder } else { parts[1].trim_end_matches(".rs") };
        let declares = code(&source.text).any(|(_, line)| line.starts_with("pub fn declare"));
        // In the tree by a line of code, or named in its description with the reason why not.
        let hangs = tree.contains(&format!("{name}::declare")) || tree.contains(&format!("`{name}`"));
        assert!(!declares || hangs, "{name} hangs in no supervisor");
    }
}

#[test]
fn no_machine_speaks_in_the_sources() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = BTreeSet::new();
    for source in sources() {
        for (number, line) in source.text.lines().enumerate() {
            if line.contains("/home/") || line.contains("/root/") {
                wrong.insert(format!("{}:{}", source.path.display(), number + 1));
            }
        }
    }
    for page in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"] {
        let text = fs::read_to_string(root.join(page)).unwrap_or_else(|_| panic!("{page} is missing"));
        assert!(!text.contains("../shared") && !text.contains("/root/"), "{page} names a machine's path");
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}
