//! Hostile configurations: each is refused with exit 3, its file, line, column, key and advice.

use crate::support::{check, file};
use plimsoll::cli::Exit;
use plimsoll::config::source::SOURCE_BYTES_MAX;
use proptest::prelude::*;

/// Text; line; column; key path; code; a fragment of the advice.
type Case = (&'static str, &'static str, u64, u64, &'static str, &'static str, &'static str);

const CASES: &[Case] = &[
    ("unknown key", "web:\n  color: red\n", 2, 3, "web.color", "unknown_key", "possible here: `listen`"),
    ("unknown section", "database: {url: x}\n", 1, 1, "database", "unknown_key", "`deployment`"),
    ("typo", "web:\n  listne: 127.0.0.1:1\n", 2, 3, "web.listne", "unknown_key", "did you mean `listen`?"),
    ("duplicate section", "web: {}\ndata_dir: x\nweb: {}\n", 3, 1, "web", "duplicate_key", "keep one"),
    (
        "duplicate key in a map",
        "supervision:\n  children:\n    a: {shutdown_ms: 5}\n    b: {}\n    a: {shutdown_ms: 9}\n",
        5,
        5,
        "supervision.children.a",
        "duplicate_key",
        "keep one",
    ),
    (
        "nested duplicate in flow style",
        "supervision:\n  children: {a: {hang: {wait_ms: 5, wait_ms: 6}}}\n",
        2,
        37,
        "supervision.children.a.hang.wait_ms",
        "duplicate_key",
        "keep one",
    ),
    ("text for a number", "web: {workers: two}\n", 1, 16, "web.workers", "wrong_type", "a whole number"),
    ("fraction for a number", "web: {workers: 2.5}\n", 1, 16, "web.workers", "wrong_type", "a whole number"),
    ("word for a section", "web: on\n", 1, 6, "web", "wrong_type", "keys and values"),
    ("list for a section", "web:\n- listen\n", 2, 1, "web", "wrong_type", "keys and values"),
    ("section for a word", "data_dir: {a: b}\n", 1, 11, "data_dir", "wrong_type", "a text"),
    (
        "YAML 1.1 truth",
        "web: {debug_routes: yes}\n",
        1,
        21,
        "web.debug_routes",
        "wrong_type",
        "true or false",
    ),
    ("nothing for a number", "web:\n  workers:\n", 2, 11, "web.workers", "wrong_type", "a whole number"),
    ("not a number", "web: {workers: .nan}\n", 1, 16, "web.workers", "not_finite", "finite"),
    (
        "infinity",
        "supervision:\n  shutdown_grace_ms: .inf\n",
        2,
        22,
        "supervision.shutdown_grace_ms",
        "not_finite",
        "finite",
    ),
    ("negative", "web: {workers: -1}\n", 1, 16, "web.workers", "wrong_type", "zero or more"),
    ("zero limit", "web:\n  workers: 0\n", 2, 12, "web.workers", "out_of_range", "1 to 16"),
    (
        "above the limit",
        "supervision: {watchdog_tick_ms: 1001}\n",
        1,
        33,
        "supervision.watchdog_tick_ms",
        "out_of_range",
        "1 to 1000",
    ),
    (
        "overflow",
        "web:\n  workers: 18446744073709551616\n",
        2,
        12,
        "web.workers",
        "wrong_type",
        "a whole number",
    ),
    ("tab indentation", "web:\n\tworkers: 2\n", 2, 1, "web", "tab", "spaces"),
    (
        "unterminated quote",
        "data_dir: \"data\nweb: {}\n",
        1,
        11,
        "data_dir",
        "unterminated_quote",
        "close it",
    ),
    ("broken indentation", "web:\n  workers: 2\n listen: x\n", 3, 2, "", "syntax", "indentation"),
    (
        "alias bomb",
        "a: &a [x, x, x, x]\nb: &b [*a, *a, *a, *a]\nc: &c [*b, *b, *b, *b]\nd: [*c, *c, *c, *c]\n",
        1,
        4,
        "a",
        "anchor_or_alias",
        "write the value out",
    ),
    ("alias", "data_dir: *x\n", 1, 11, "data_dir", "anchor_or_alias", "write the value out"),
    ("merge key", "web:\n  <<: {workers: 3}\n", 2, 3, "web.<<", "merge_key", "write the keys out"),
    ("tag", "data_dir: !env HOME\n", 1, 11, "data_dir", "tag", "without a tag"),
    ("two documents", "web: {}\n---\nweb: {}\n", 2, 1, "", "several_documents", "one document"),
    ("control character", "data_dir: a\u{7}b\n", 1, 12, "", "forbidden_character", "remove it"),
    (
        "bad socket address",
        "web:\n  listen: localhost\n",
        2,
        11,
        "web.listen",
        "wrong_type",
        "127.0.0.1:8787",
    ),
    (
        "port too large",
        "web: {listen: '127.0.0.1:99999'}\n",
        1,
        15,
        "web.listen",
        "wrong_type",
        "127.0.0.1:8787",
    ),
    (
        "not loopback",
        "web:\n  listen: 0.0.0.0:8787\n",
        2,
        11,
        "web.listen",
        "listen_without_tls",
        "tls_terminated_elsewhere",
    ),
    (
        "no requests at all",
        "web: {requests_per_second: 0}\n",
        1,
        28,
        "web.requests_per_second",
        "out_of_range",
        "1 to 1000000",
    ),
    (
        "an address with a path for a host",
        "web:\n  allowed_hosts: [ops.example.com, 'https://x/']\n",
        2,
        36,
        "web.allowed_hosts.1",
        "bad_host",
        "without port",
    ),
    (
        "debug routes in production",
        "deployment: {environment: production}\nweb:\n  debug_routes: true\n",
        3,
        17,
        "web.debug_routes",
        "debug_routes_outside_development",
        "development",
    ),
    (
        "bad enum word",
        "telemetry: {log_format: jsno}\n",
        1,
        25,
        "telemetry.log_format",
        "unknown_value",
        "did you mean `json`?",
    ),
    (
        "bad log level",
        "telemetry:\n  log_level: inof\n",
        2,
        14,
        "telemetry.log_level",
        "bad_log_level",
        "did you mean `info`?",
    ),
    (
        "bad log directive",
        "telemetry:\n  log_level: info,a=loud\n",
        2,
        14,
        "telemetry.log_level",
        "bad_log_level",
        "write `info`",
    ),
    ("bad name", "deployment: {name: 'a b'}\n", 1, 20, "deployment.name", "bad_name", "1 to 64"),
    ("empty folder", "data_dir: ''\n", 1, 11, "data_dir", "data_dir_empty", "name a folder"),
    (
        "cap below base",
        "supervision:\n  children:\n    connector:\n      backoff:\n        base_ms: 500\n        cap_ms: 100\n",
        6,
        17,
        "supervision.children.connector.backoff.cap_ms",
        "cap_below_base",
        "at least `base_ms`",
    ),
    (
        "bad child value",
        "supervision:\n  children:\n    connector:\n      hang: {handler_ms: 0}\n",
        4,
        26,
        "supervision.children.connector.hang.handler_ms",
        "out_of_range",
        "1 to 600000",
    ),
    (
        "bad child key",
        "supervision:\n  children:\n    connector:\n      hangs: {handler_ms: 1}\n",
        4,
        7,
        "supervision.children.connector.hangs",
        "unknown_key",
        "did you mean `hang`?",
    ),
    (
        "bad child path",
        "supervision:\n  children:\n    'a b': {}\n",
        3,
        12,
        "supervision.children.\"a b\"",
        "bad_child_path",
        "plimsoll supervision",
    ),
];

#[test]
fn every_hostile_text_is_refused_at_its_place() {
    assert!(CASES.len() >= 25);
    let mut wrong = Vec::new();
    for (name, text, line, column, path, code, advice) in CASES {
        let (_dir, file) = file(text);
        let answer = check(Some(&file), true, &[]);
        assert_eq!(answer.exit, Exit::Invalid, "{name}: {answer:?}");
        assert_eq!(answer.exit.code(), 3);
        let problem = &answer.json()["problems"][0];
        let got = (
            problem["file"].as_str().unwrap_or_default(),
            problem["line"].as_u64().unwrap_or(0),
            problem["column"].as_u64().unwrap_or(0),
            problem["path"].as_str().unwrap_or_default(),
            problem["code"].as_str().unwrap_or_default(),
        );
        let want = (file.to_str().unwrap(), *line, *column, *path, *code);
        let is_advised = problem["advice"].as_str().unwrap_or_default().contains(advice);
        if got != want || !is_advised {
            wrong.push(format!("{name}: got {problem}, want {want:?} and advice {advice:?}"));
        }
        // The same for a person: place, the line, and a caret under the column.
        let human = check(Some(&file), false, &[]);
        let place = format!("--> {}:{line}:{column}", file.display());
        let caret = format!("| {}^", " ".repeat(usize::try_from(*column).unwrap() - 1));
        if !(human.err.contains(&place) && human.err.contains(&caret) && human.err.contains(advice)) {
            wrong.push(format!("{name}: {}", human.err));
        }
        assert_eq!(human.out, "", "{name}: diagnostics belong on stderr");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn refused(file: &std::path::Path, environment: &[(&str, &str)], code: &str, fragments: &[&str]) {
    let answer = check(Some(file), true, environment);
    assert_eq!(answer.exit, Exit::Invalid, "{answer:?}");
    let problem = answer.json()["problems"][0].clone();
    assert_eq!(problem["code"], code, "{problem}");
    let human = check(Some(file), false, environment).err;
    for fragment in fragments {
        assert!(human.contains(fragment), "{fragment:?} is not in\n{human}");
    }
}

#[test]
fn a_missing_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("gone.yaml");
    refused(&path, &[], "file_missing", &["gone.yaml", "does not exist", "config init"]);
}

#[test]
fn a_directory() {
    let dir = tempfile::tempdir().unwrap();
    refused(dir.path(), &[], "not_a_regular_file", &["a directory", "name the file itself"]);
}

#[test]
fn a_device_is_not_waited_for() {
    refused(std::path::Path::new("/dev/zero"), &[], "not_a_regular_file", &["/dev/zero"]);
}

#[test]
fn an_oversized_file() {
    let (_dir, path) = file("# filler\n".repeat(usize::try_from(SOURCE_BYTES_MAX).unwrap() / 9 + 1));
    refused(&path, &[], "too_large", &["more than 1048576 bytes"]);
}

#[test]
fn a_file_that_is_not_utf8() {
    let (_dir, path) = file(b"web:\n  # gr\xfc\xdfe\n");
    refused(&path, &[], "not_utf8", &[":2:7", "save the file as UTF-8"]);
}

#[test]
fn an_unknown_variable() {
    let (_dir, path) = file("web: {}\n");
    let environment = [("PLIMSOLL__WEB__LISTNE", "127.0.0.1:1")];
    let fragments = ["environment variable PLIMSOLL__WEB__LISTNE", "did you mean `PLIMSOLL__WEB__LISTEN`?"];
    refused(&path, &environment, "unknown_key", &fragments);
}

#[test]
fn a_bad_value_in_a_variable() {
    let (_dir, path) = file("web: {workers: 4}\n");
    let fragments =
        ["environment variable PLIMSOLL__WEB__WORKERS", "(web.workers)", "a whole number", "`many`"];
    refused(&path, &[("PLIMSOLL__WEB__WORKERS", "many")], "wrong_type", &fragments);
    refused(
        &path,
        &[("PLIMSOLL__WEB__WORKERS", "0")],
        "out_of_range",
        &["PLIMSOLL__WEB__WORKERS", "1 to 16"],
    );
    refused(&path, &[("PLIMSOLL__WEB__WORKERS", ".inf")], "not_finite", &["PLIMSOLL__WEB__WORKERS"]);
}

#[test]
fn every_problem_is_reported_in_the_order_of_the_file() {
    let text = "web:\n  workers: 0\n  colour: red\n  listen: x\nsupervision:\n  watchdog_tick_ms: 5000\n  control_hang_ms: no\n";
    let (_dir, path) = file(text);
    let answer = check(Some(&path), true, &[("PLIMSOLL__NOPE", "1")]).json();
    let got: Vec<_> = answer["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| (problem["line"].as_u64().unwrap_or(0), problem["code"].as_str().unwrap().to_owned()))
        .collect();
    let want = [(3, "unknown_key"), (4, "wrong_type"), (7, "wrong_type"), (0, "unknown_key")];
    // workers and watchdog_tick_ms share their section with a value of the wrong type: judged next time.
    assert_eq!(got, want.map(|(line, code)| (line, code.to_owned())));
}

#[test]
fn a_file_full_of_mistakes_is_answered_with_a_bounded_list() {
    let text: String = (0..5_000).map(|index| format!("k{index}: 1\n")).collect();
    let (_dir, path) = file(text);
    let count = check(Some(&path), true, &[]).json()["problems"].as_array().unwrap().len();
    assert_eq!(count, 50);
}

#[test]
fn a_megabyte_of_anything_is_answered_in_time() {
    for unit in [
        "[", "{", "[a, ", "{a: ", "- ", "? ", ": ", "a: [", "'", "'a' ", "!", "&a ", "*a ", "a b ",
        "{a: b}, ",
    ] {
        let row = unit.repeat(8_000 / unit.len()) + "\n ";
        let (_dir, path) = file(format!("a:\n {}", row.repeat(130)));
        let began = plimsoll::clock::monotonic();
        let answer = check(Some(&path), true, &[]);
        let took = began.elapsed();
        assert_eq!(answer.exit, Exit::Invalid, "{unit:?}");
        eprintln!("{unit:?} {took:?} {}", answer.json()["problems"][0]["code"]);
        assert!(took.as_secs() < 10, "{unit:?} took {took:?}");
    }
}

#[test]
fn nesting_beyond_the_limit_is_refused() {
    let text = |depth: usize| format!("data_dir: {}{}\n", "[".repeat(depth), "]".repeat(depth));
    let (_dir, path) = file(text(33));
    refused(&path, &[], "too_deep", &[":1:43", "at most 32"]);
    let (_dir, path) = file(text(31));
    refused(&path, &[], "wrong_type", &[":1:11"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arbitrary_bytes_get_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let (_dir, path) = file(&bytes);
        let answer = check(Some(&path), true, &[]);
        prop_assert!(matches!(answer.exit, Exit::Ok | Exit::Invalid));
        prop_assert!(answer.json()["ok"].is_boolean());
    }
}
