//! Defaults, file, environment, flags: the later wins, and each value knows who set it.

use crate::support::{env, file, show};
use plimsoll::cli::Exit;
use plimsoll::config::{
    Flag, Inputs, KeyPath, Loaded, Place, Position, Settings, child_override_position, load, unknown_child,
};
use std::path::Path;

fn loaded(file: Option<&Path>, environment: &[(&str, &str)], flags: &[Flag]) -> Loaded<Settings> {
    load(Inputs { file, env: &env(environment), flags }).unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn nothing_set_means_the_defaults() {
    let loaded = loaded(None, &[("PATH", "/bin"), ("PLIMSOLL_CAPTURES", "/x")], &[]);
    assert_eq!(loaded.settings, Settings::default());
    assert!(loaded.effective().unwrap().iter().all(|entry| entry.place == Place::Default));
}

#[test]
fn each_layer_overrides_the_one_before() {
    let (_dir, path) = file("web:\n  workers: 3\n  listen: 127.0.0.1:1\ndata_dir: a\n");
    let environment = [("PLIMSOLL__WEB__LISTEN", "127.0.0.1:2"), ("plimsoll__data_dir", "b")];
    let flags = [Flag::new("--listen", "web.listen", "[::1]:3")];
    let loaded = loaded(Some(&path), &environment, &flags);
    assert_eq!(loaded.settings.web.workers, 3);
    assert_eq!(loaded.settings.web.listen.to_string(), "[::1]:3");
    assert_eq!(loaded.settings.data_dir.0, Path::new("b"));

    let origin = |key: &str| loaded.document.origin(&KeyPath::from(key));
    let position = Some(Position { line: 2, column: 12 });
    assert_eq!(origin("web.workers"), Place::File { file: path.display().to_string(), position });
    assert_eq!(origin("web.listen"), Place::Flag { name: "--listen".into() });
    assert_eq!(origin("data_dir"), Place::Env { name: "plimsoll__data_dir".into() });
    assert_eq!(origin("web.debug_routes"), Place::Default);
}

#[test]
fn a_bad_flag_is_named() {
    let flags = [Flag::new("--listen", "web.listen", "8787")];
    let errors = load::<Settings>(Inputs { file: None, env: &env(&[]), flags: &flags }).unwrap_err();
    let text = errors.to_string();
    assert!(text.contains("flag --listen (web.listen)") && text.contains("`8787`"), "{text}");
}

#[test]
fn a_variable_reaches_a_child_that_only_it_names() {
    let environment = [("PLIMSOLL__SUPERVISION__CHILDREN__CONNECTOR__HANG__HANDLER_MS", "250")];
    let loaded = loaded(None, &environment, &[]);
    let child = &loaded.settings.supervision.children["connector"];
    assert_eq!(child.hang.as_ref().unwrap().handler_ms, Some(250));
}

#[test]
fn a_variable_is_read_as_its_target_demands() {
    let environment = [
        ("PLIMSOLL__DEPLOYMENT__INSTANCE", "007"),
        ("PLIMSOLL__DEPLOYMENT__NAME", "1.50"),
        ("PLIMSOLL__WEB__WORKERS", "0x4"),
    ];
    let loaded = loaded(None, &environment, &[]);
    assert_eq!(loaded.settings.deployment.instance, "007");
    assert_eq!(loaded.settings.deployment.name, "1.50");
    assert_eq!(loaded.settings.web.workers, 4);
}

#[test]
fn a_section_with_every_key_commented_out_is_the_default() {
    let (_dir, path) = file("web:\n  # workers: 3\nsupervision:\n  children:\n    connector:\n");
    let loaded = loaded(Some(&path), &[("PLIMSOLL__WEB__WORKERS", "5")], &[]);
    assert_eq!(loaded.settings.web.workers, 5);
    assert_eq!(loaded.settings.supervision.children.len(), 1);
}

#[test]
fn an_unknown_child_is_refused_at_its_line() {
    let (_dir, path) = file("supervision:\n  children:\n    conector: {shutdown_ms: 5}\n");
    let loaded = loaded(Some(&path), &[], &[]);
    let at = Position { line: 3, column: 5 };
    assert_eq!(child_override_position(&loaded.document, "conector"), Some(at));
    let error = unknown_child(&loaded.document, "conector", &["connector".into(), "journal".into()]);
    assert_eq!(error.position(), Some(at));
    assert!(error.to_string().contains("did you mean `connector`?"), "{error}");
}

#[test]
fn show_names_the_origin_of_each_value() {
    let (_dir, path) = file("web:\n  workers: 3\n");
    let answer = show(Some(&path), false, &[("PLIMSOLL__DATA_DIR", "/srv/p")]);
    assert_eq!(answer.exit, Exit::Ok);
    let line = |start: &str| answer.out.lines().find(|line| line.starts_with(start)).unwrap().to_owned();
    assert!(line("web.workers = 3 ").ends_with(&format!("# {}:2:12", path.display())));
    assert!(line("data_dir = \"/srv/p\"").ends_with("# environment variable PLIMSOLL__DATA_DIR"));
    assert!(line("deployment.name = \"plimsoll\" ").ends_with("# default"));

    let json = show(Some(&path), true, &[]).json();
    let workers = json["values"]
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["path"] == "web.workers")
        .unwrap()
        .clone();
    assert_eq!(workers["value"], 3);
    assert_eq!((&workers["origin"]["line"], &workers["origin"]["source"]), (&2.into(), &"file".into()));
    assert_eq!(json["config_hash"].as_str().unwrap().len(), 64);
}

#[test]
fn the_hash_follows_values_not_comments() {
    let (_a, plain) = file("web: {workers: 3}\n");
    let (_b, commented) = file("# three\nweb:\n  workers: 0x3\n");
    let (_c, other) = file("web: {workers: 4}\n");
    let hash = |path: &Path| loaded(Some(path), &[], &[]).hash().unwrap();
    assert_eq!(hash(&plain), hash(&commented));
    assert_ne!(hash(&plain), hash(&other));
}
