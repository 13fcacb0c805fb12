//! Runbooks are code that people run at night: every command in them must exist, and work.

use crate::orders::{place, trading, until_state};
use crate::support::plimsoll;
use clap::Parser;
use plimsoll::domain::alert::codes::CODES;
use plimsoll::web::ROUTES;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The order that the pages speak of.
const ORDER: &str = "ORDER";

struct Line {
    page: String,
    words: Vec<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> = fs::read_dir(root().join("runbooks"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "md"))
        .collect();
    pages.push(root().join("examples/README.md"));
    pages.sort();
    assert!(pages.len() > 4, "{pages:?}");
    pages
}

/// Every line of every fenced shell block.
fn lines() -> Vec<Line> {
    let mut found = Vec::new();
    for path in pages() {
        let page = path.file_name().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        let mut inside = false;
        for line in text.lines() {
            if let Some(language) = line.strip_prefix("```") {
                inside = !inside && language == "sh";
            } else if inside && !line.trim().is_empty() {
                found.push(Line { page: page.clone(), words: words(line) });
            }
        }
    }
    assert!(found.len() > 20, "the pages hold commands");
    found
}

/// Splits as a shell would, as far as the pages go: double quotes and comments.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted, mut any) = (Vec::new(), String::new(), false, false);
    for c in line.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                any = true;
            }
            '#' if !quoted && word.is_empty() => break,
            c if c.is_whitespace() && !quoted => {
                if any || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                any = false;
            }
            c => word.push(c),
        }
    }
    assert!(!quoted, "an open quote in {line}");
    if any || !word.is_empty() {
        words.push(word);
    }
    words
}

/// The arguments of plimsoll, when the line is about it.
fn ours(line: &Line) -> Option<Vec<String>> {
    let words = &line.words;
    match words.first()?.as_str() {
        "plimsoll" => Some(words.clone()),
        "cargo" => {
            let at = words.iter().position(|word| word == "--")?;
            Some(std::iter::once("plimsoll".to_owned()).chain(words[at + 1..].iter().cloned()).collect())
        }
        _ => None,
    }
}

#[test]
fn every_command_of_a_runbook_exists() {
    for line in lines() {
        let (page, words) = (&line.page, &line.words);
        if let Some(arguments) = ours(&line) {
            if let Err(error) = plimsoll::cli::Cli::try_parse_from(&arguments) {
                panic!("{page}: {}: {error}", words.join(" "));
            }
            for file in words.iter().filter(|word| word.ends_with(".yaml")) {
                assert!(root().join(file).exists(), "{page}: there is no {file}");
            }
            continue;
        }
        match words[0].as_str() {
            "curl" => {
                let address =
                    words.iter().find(|word| word.starts_with("http://")).expect("curl has an address");
                let path = address.splitn(4, '/').nth(3).unwrap_or_default();
                let path = format!("/{}", path.split('?').next().unwrap());
                let method =
                    words.iter().position(|word| word == "-X").map_or("GET", |at| words[at + 1].as_str());
                let known = ROUTES.iter().any(|route| route.method == method && matches(route.path, &path));
                assert!(known, "{page}: no route for {method} {path}");
            }
            "kill" | "cp" | "df" | "du" | "touch" | "rm" | "ls" => {}
            "python3" => assert!(root().join(&words[1]).exists(), "{page}: there is no {}", words[1]),
            other => panic!("{page}: {other} is not checked here"),
        }
    }
}

fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, path): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), path.split('/').collect());
    pattern.len() == path.len() && pattern.iter().zip(&path).all(|(p, w)| p.starts_with('{') || p == w)
}

/// A page that names an event which nobody logs sends its reader on a search without end.
#[test]
fn every_event_and_page_that_a_runbook_names_exists() {
    let mut sources = String::new();
    collect(&root().join("src"), &mut sources);
    for path in pages() {
        let text = fs::read_to_string(&path).unwrap();
        for part in text.split("event=\"").skip(1) {
            let event = part.split('"').next().unwrap();
            assert!(sources.contains(&format!("\"{event}\"")), "{}: nobody logs {event}", path.display());
        }
        for part in text.split("](").skip(1) {
            let target = part.split([')', '#']).next().unwrap();
            let there = target.is_empty() || path.parent().unwrap().join(target).exists();
            assert!(there, "{}: no page {target}", path.display());
        }
    }
}

/// Every alert code has its page, every page with a code's name belongs to a code, and each says what a person needs in
/// the same places.
#[test]
fn codes_and_pages_belong_together() {
    let codes: BTreeSet<String> = CODES.iter().map(|code| code.name.to_owned()).collect();
    let named: BTreeSet<String> = pages()
        .iter()
        .filter(|path| path.starts_with(root().join("runbooks")))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|name| name.contains('_'))
        .collect();
    assert_eq!(codes, named);
    for code in codes {
        let text = fs::read_to_string(root().join(format!("runbooks/{code}.md"))).unwrap();
        assert!(text.starts_with(&format!("# {code}\n\n")), "{code}: the title");
        let mut at = 0;
        for heading in ["What the system did", "What to look at", "What is safe", "When it is over"] {
            let found =
                text.find(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("{code}: no {heading}"));
            assert!(found > at, "{code}: {heading} out of order");
            at = found;
        }
        let commands = lines().iter().filter(|line| line.page == format!("{code}.md")).count();
        assert!(commands > 0, "{code}: no command to look with");
    }
}

/// Whoever is told of a runbook finds it.
#[test]
fn every_runbook_that_the_log_names_exists() {
    let mut sources = String::new();
    collect(&root().join("src"), &mut sources);
    let mut missing = BTreeSet::new();
    for marker in ["runbook = \"", "self.raise(out, \""] {
        for part in sources.split(marker).skip(1) {
            let name = part.split('"').next().unwrap();
            if !root().join(format!("runbooks/{name}.md")).exists() {
                missing.insert(name.to_owned());
            }
        }
    }
    assert!(missing.is_empty(), "no page for {missing:?}");
}

fn collect(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, text);
        } else if path.extension().is_some_and(|e| e == "rs") {
            text.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

/// Reading and steering commands run as they stand, against a desk that trades. A refusal is an answer; a usage
/// error, a failure or silence is not.
#[test]
fn the_commands_of_the_runbooks_work_on_a_running_desk() {
    let app = trading();
    assert_eq!(place(&app, "runbook-1").status, 202);
    until_state(&app, "runbook-1", "working");
    let data = app.data();
    let starts = ["run", "demo", "config"];
    let mut done = BTreeSet::new();
    let all: Vec<Vec<String>> = lines().iter().filter_map(ours).collect();
    // Restarts last, and once: what follows one would find nobody at home.
    let (restarts, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|words| words[1] == "restart");
    for words in others.into_iter().chain(restarts.into_iter().take(1)) {
        if starts.contains(&words[1].as_str()) || !done.insert(words.join(" ")) {
            continue;
        }
        let mut command = plimsoll();
        command.env("PLIMSOLL_URL", &app.url).stdin(std::process::Stdio::null());
        for word in &words[1..] {
            match word.as_str() {
                ORDER => command.arg("runbook-1"),
                "data/testnet" => command.arg(data.path()),
                word => command.arg(word),
            };
        }
        let output = command.output().unwrap();
        let code = output.status.code();
        assert!(matches!(code, Some(0 | 4)), "{words:?}: {output:?}");
    }
    assert!(done.len() > 20, "{done:?}");
}
