//! `config check|show|schema|init` and the files of the repository.

use crate::support::{check, command, file, repository, show};
use clap::Parser;
use plimsoll::cli::Exit;
use plimsoll::cli::config::{ConfigCommand, run};
use std::collections::BTreeMap;
use std::io;

#[derive(Debug, Parser)]
struct Program {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[test]
fn the_files_of_the_repository_pass() {
    for name in ["config/example.yaml", "config/demo.yaml"] {
        let answer = check(Some(&repository(name)), false, &[]);
        assert_eq!((answer.exit, answer.out.as_str()), (Exit::Ok, "ok\n"), "{name}: {}", answer.err);
    }
}

#[test]
fn the_example_holds_every_key_at_its_default() {
    let example = show(Some(&repository("config/example.yaml")), true, &[]).json();
    let defaults = show(None, true, &[]).json();
    assert_eq!(example["config_hash"], defaults["config_hash"]);
    for entry in example["values"].as_array().unwrap() {
        assert_eq!(entry["origin"]["source"], "file", "{entry} is missing in config/example.yaml");
    }
}

#[test]
fn the_commented_child_of_the_example_passes_too() {
    let text = std::fs::read_to_string(repository("config/example.yaml")).unwrap();
    let (before, child) = text.split_once("  # children:\n").unwrap();
    let uncommented: String = child
        .lines()
        .filter_map(|line| line.strip_prefix("  # "))
        .map(|line| format!("  {line}\n"))
        .collect();
    let (_dir, path) = file(format!("{before}  children:\n{uncommented}"));
    let answer = check(Some(&path), false, &[]);
    assert_eq!(answer.exit, Exit::Ok, "{}", answer.err);
    let shown = show(Some(&path), true, &[]).json();
    let of_child =
        |entry: &&serde_json::Value| entry["path"].as_str().unwrap().starts_with("supervision.children.");
    assert_eq!(shown["values"].as_array().unwrap().iter().filter(of_child).count(), 11);
}

#[test]
fn init_prints_a_file_that_passes() {
    let answer = command(ConfigCommand::Init { paper: None }, &[]);
    assert_eq!(answer.exit, Exit::Ok);
    let (_dir, path) = file(&answer.out);
    assert_eq!(check(Some(&path), false, &[]).out, "ok\n");
}

#[test]
fn init_for_a_paper_exchange_passes_and_refuses_what_is_none() {
    let init = |url: &str| command(ConfigCommand::Init { paper: Some(url.to_owned()) }, &[]);
    let answer = init("http://127.0.0.1:9999/");
    assert_eq!(answer.exit, Exit::Ok);
    assert!(answer.out.contains("rest_url: http://127.0.0.1:9999\n"), "{}", answer.out);
    assert!(!answer.out.contains(":8780"), "{}", answer.out);
    let (_dir, path) = file(&answer.out);
    assert_eq!(check(Some(&path), false, &[]).out, "ok\n");
    for url in ["https://api.binance.com", "embedded", "127.0.0.1:8780", "http://127.0.0.1:1\nx: y", ""] {
        let answer = init(url);
        assert_eq!(answer.exit, Exit::Usage, "{url:?}");
        assert!(answer.out.is_empty() && answer.err.contains("loopback"), "{url:?}: {}", answer.err);
    }
}

#[test]
fn the_committed_schema_is_current() {
    let committed = std::fs::read_to_string(repository("config/schema/plimsoll.schema.json")).unwrap();
    let answer = command(ConfigCommand::Schema, &[]);
    assert_eq!(answer.exit, Exit::Ok);
    let advice = "run: plimsoll config schema > config/schema/plimsoll.schema.json";
    assert!(answer.out == committed, "{advice}\n{}", answer.out);
}

#[test]
fn the_schema_states_the_limits_that_are_enforced() {
    let schema: serde_json::Value = serde_json::from_str(&command(ConfigCommand::Schema, &[]).out).unwrap();
    let mut checked = 0;
    for (section, properties) in schema["$defs"].as_object().unwrap() {
        let Some(properties) = properties["properties"].as_object() else { continue };
        for (key, property) in properties {
            let (Some(min), Some(max)) = (property["minimum"].as_u64(), property["maximum"].as_u64()) else {
                continue;
            };
            let listed = |text: &str| {
                let (_dir, path) = file(text);
                check(Some(&path), true, &[]).exit
            };
            let parents: &[&str] = match section.as_str() {
                "Venue" | "StrategySettings" | "DeclaredStream" => {
                    let exit = |value: u64| match section.as_str() {
                        "Venue" => listed(&format!(
                            "venues:\n  - {{name: p, rest_url: embedded, paper_account: demo, symbols: [A], {key}: {value}}}\n"
                        )),
                        "DeclaredStream" => {
                            listed(&format!("drift:\n  streams:\n    - {{name: m, {key}: {value}}}\n"))
                        }
                        _ => listed(&format!("strategies:\n  - {{name: m, {key}: {value}}}\n")),
                    };
                    assert_eq!((exit(min), exit(max)), (Exit::Ok, Exit::Ok), "{section}.{key}");
                    assert_eq!(exit(max + 1), Exit::Invalid, "{section}.{key}");
                    checked += 1;
                    continue;
                }
                "ChannelSettings" | "MailSettings" => {
                    let mail = |keys: &str| format!("{{host: h, from: a@b.org, to: [c@d.org]{keys}}}");
                    let exit = |value: u64| {
                        let (outer, inner) = match section.as_str() {
                            "MailSettings" => (String::new(), format!(", {key}: {value}")),
                            _ => (format!(", {key}: {value}"), String::new()),
                        };
                        let email = mail(&inner);
                        listed(&format!(
                            "alerts:\n  channels:\n    - {{name: m, kind: email, email: {email}{outer}}}\n"
                        ))
                    };
                    assert_eq!((exit(min), exit(max)), (Exit::Ok, Exit::Ok), "{section}.{key}");
                    assert_eq!(exit(max + 1), Exit::Invalid, "{section}.{key}");
                    checked += 1;
                    continue;
                }
                "RuleSettings" | "PolicySettings" | "StepSettings" | "TierSettings" => {
                    let exit = |value: u64| {
                        let log = "channels: [{name: log, kind: log}]";
                        let own = format!("{key}: {value}");
                        let text = match (section.as_str(), key.as_str()) {
                            ("RuleSettings", "raise_after") => {
                                format!("rules: [{{code: disk_low, of: 64, {own}}}]")
                            }
                            ("RuleSettings", _) => format!("rules: [{{code: disk_low, {own}}}]"),
                            ("PolicySettings", _) => {
                                format!("policies: [{{name: p, steps: [{{notify: []}}], {own}}}]")
                            }
                            ("StepSettings", _) => format!("policies: [{{name: p, steps: [{{{own}}}]}}]"),
                            (_, "messages") => {
                                format!(
                                    "{log}\n  limits: [{{channel: log, tiers: [{{{own}, within_seconds: 1}}]}}]"
                                )
                            }
                            (_, _) => format!(
                                "{log}\n  limits: [{{channel: log, tiers: [{{{own}, messages: 1}}]}}]"
                            ),
                        };
                        listed(&format!("alerts:\n  {text}\n"))
                    };
                    assert_eq!((exit(min), exit(max)), (Exit::Ok, Exit::Ok), "{section}.{key}");
                    assert_eq!(exit(max + 1), Exit::Invalid, "{section}.{key}");
                    checked += 1;
                    continue;
                }
                "DeadManSettings" => &["alerts", "dead_man"],
                "Alerts" => &["alerts"],
                "Risk" => &["risk"],
                "Orders" => &["orders"],
                "HeartbeatSettings" => &["heartbeat"],
                "SentinelSettings" => &["sentinel"],
                "Performance" => &["performance"],
                "DriftSettings" => &["drift"],
                "PaperExchangeSettings" => &["paper_exchange"],
                "Web" => &["web"],
                "Supervision" => &["supervision"],
                "ChildOverride" => &["supervision", "children", "c"],
                "IntensityOverride" => &["supervision", "children", "c", "intensity"],
                "BackoffOverride" => &["supervision", "children", "c", "backoff"],
                "HangOverride" => &["supervision", "children", "c", "hang"],
                other => panic!("no path for {other}"),
            };
            let name = parents.iter().fold("PLIMSOLL".to_owned(), |name, part| format!("{name}__{part}"));
            let exit =
                |value: u64| check(None, true, &[(&format!("{name}__{key}"), &value.to_string())]).exit;
            assert_eq!((exit(min), exit(max)), (Exit::Ok, Exit::Ok), "{section}.{key}");
            assert_eq!(exit(max + 1), Exit::Invalid, "{section}.{key}");
            if let Some(below) = min.checked_sub(1) {
                assert_eq!(exit(below), Exit::Invalid, "{section}.{key}");
            }
            checked += 1;
        }
    }
    assert_eq!(checked, 81, "a key with limits is missing in the schema");
}

#[test]
fn arguments_are_read_as_documented() {
    let parse = |line: &str| Program::try_parse_from(line.split(' '));
    assert!(matches!(
        parse("p check --config a.yaml --json").unwrap().command,
        ConfigCommand::Check { config: Some(path), json: true } if path.ends_with("a.yaml")
    ));
    assert!(matches!(parse("p show").unwrap().command, ConfigCommand::Show { config: None, json: false }));
    assert!(matches!(parse("p schema").unwrap().command, ConfigCommand::Schema));
    assert!(matches!(parse("p init").unwrap().command, ConfigCommand::Init { paper: None }));
    assert_eq!(parse("p check --confg a.yaml").unwrap_err().exit_code(), 2);
}

#[test]
fn an_output_that_is_gone_is_a_failure() {
    struct Gone;
    impl io::Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut err = Vec::new();
    let exit =
        run(ConfigCommand::Init { paper: None }, &BTreeMap::<String, String>::new(), &mut Gone, &mut err);
    assert_eq!(exit.code(), 1);
    assert!(String::from_utf8(err).unwrap().contains("cannot write"));
}
