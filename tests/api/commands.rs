//! The commands that read and steer a running instance, and the example in another language.

use crate::orders::{order, place, trading, until_state};
use crate::support::{TestApp, run};
use std::path::Path;
use std::process::{Command, Output};

fn cli(app: &TestApp, arguments: &[&str]) -> Output {
    let mut all = arguments.to_vec();
    all.extend(["--url", &app.url]);
    run(&all, None)
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn orders_are_placed_shown_and_ended_from_the_command_line() {
    let app = trading();
    let submit = cli(
        &app,
        &[
            "order",
            "submit",
            "--symbol",
            "BTCUSDT",
            "--side",
            "sell",
            "--type",
            "market",
            "--quantity",
            "0.001",
            "--client-order-id",
            "cli-1",
        ],
    );
    assert!(submit.status.success() && out(&submit).starts_with("cli-1  "), "{submit:?}");
    until_state(&app, "cli-1", "filled");
    let shown = out(&cli(&app, &["order", "show", "cli-1"]));
    assert!(shown.lines().any(|line| line.split_whitespace().eq(["state", "filled"])), "{shown}");
    assert_eq!(place(&app, "cli-2").status, 202);
    until_state(&app, "cli-2", "working");
    let table = out(&cli(&app, &["orders", "--strategy", "manual"]));
    assert!(
        table.starts_with("CLIENT ORDER ID") && table.contains("cli-2") && !table.contains("cli-1"),
        "{table}"
    );
    assert!(cli(&app, &["order", "cancel", "cli-2", "--reason", "enough"]).status.success());
    until_state(&app, "cli-2", "cancelled");
    let json = cli(&app, &["orders", "--state", "all", "--strategy", "manual", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["items"].as_array().unwrap().len(), 2, "{json}");
    let page = cli(&app, &["orders", "--state", "all", "--limit", "1"]);
    assert!(err(&page).contains("--after "), "{page:?}");
    for (arguments, wanted) in [
        (&["fills"][..], "TRADE ID"),
        (&["positions"], "UNREALISED PNL"),
        (&["quotes"], "BTCUSDT"),
        (&["alerts"], "SEVERITY"),
        (&["strategy", "list"], "manual"),
        (&["status"], "orders open"),
    ] {
        let output = cli(&app, arguments);
        assert!(output.status.success() && out(&output).contains(wanted), "{arguments:?}: {output:?}");
    }
    app.until("balances were compared", |app| out(&cli(app, &["balances"])).contains("USDT"));
}

#[test]
fn refusals_are_exit_code_4_and_silence_is_5() {
    let app = trading();
    let show = cli(&app, &["order", "show", "nope"]);
    assert_eq!(show.status.code(), Some(4), "{show:?}");
    assert!(err(&show).contains("not_found"), "{show:?}");
    let submit = cli(
        &app,
        &["order", "submit", "--symbol", "BTCUSDT", "--side", "up", "--quantity", "none", "--price", "1"],
    );
    assert_eq!(submit.status.code(), Some(4));
    assert!(err(&submit).contains("/side: ") && err(&submit).contains("/quantity: "), "{submit:?}");
    let no_reason = cli(&app, &["cancel-all"]);
    assert_eq!(no_reason.status.code(), Some(2), "a reason is part of the command");
    for arguments in [
        &["orders"][..],
        &["cancel-all", "--reason", "x"],
        &["restart", "--reason", "x"],
        &["resume", "--reason", "x"],
        &["resolve", "o", "--as", "query", "--reason", "x"],
        &["strategy", "list"],
    ] {
        let mut arguments = arguments.to_vec();
        arguments.extend(["--url", "http://127.0.0.1:9"]);
        assert_eq!(run(&arguments, None).status.code(), Some(5), "{arguments:?}");
    }
}

#[test]
fn controls_work_from_the_command_line() {
    let app = trading();
    assert_eq!(place(&app, "ctl-1").status, 202);
    until_state(&app, "ctl-1", "working");
    let cancel = cli(&app, &["cancel-all", "--strategy", "manual", "--reason", "end of day"]);
    assert!(cancel.status.success() && out(&cancel).contains("cancels begun: 1"), "{cancel:?}");
    until_state(&app, "ctl-1", "cancelled");
    let off = cli(&app, &["strategy", "disable", "quoter", "--reason", "too wide"]);
    assert!(off.status.success() && out(&off).contains("false"), "{off:?}");
    assert_eq!(cli(&app, &["strategy", "disable", "nobody", "--reason", "x"]).status.code(), Some(4));
    assert!(cli(&app, &["restart", "--reason", "new limits"]).status.success());
    app.until_log("warm_start");
}

/// The example trades through a restart of plimsoll and leaves nothing behind.
#[test]
fn the_python_example_survives_a_restart() {
    let app = trading();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/external_strategy.py");
    // -B: no byte code beside the sources.
    let child = Command::new("python3")
        .args(["-B".as_ref(), script.as_os_str()])
        .args(["--url", &app.url, "--for", "12"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn();
    let Ok(child) = child else {
        println!("skipped: python3 is not installed");
        return;
    };
    let quotes = |app: &TestApp| {
        let orders = app.get("/api/v1/orders?state=all&strategy=manual").json();
        let names = orders["items"].as_array().unwrap().iter();
        names.filter(|order| order["client_order_id"].as_str().unwrap().starts_with("py-")).count()
    };
    app.until("it quotes", |app| quotes(app) >= 2);
    let before = quotes(&app);
    assert_eq!(app.send("POST", "/api/v1/controls/restart", Some(r#"{"reason": "a test"}"#)).status, 202);
    app.until_log("warm_start");
    let output = child.wait_with_output().unwrap();
    let said = out(&output);
    assert!(output.status.success(), "{said}\n{}", err(&output));
    assert!(said.contains("plimsoll is away") && said.contains("left over: nothing"), "{said}");
    assert!(quotes(&app) >= before, "{said}");
    let open = app.get("/api/v1/orders?strategy=manual").json();
    assert_eq!(open["items"], serde_json::json!([]), "{said}");
    let first = order(&app, "nothing-of-that-name");
    assert_eq!(first["status"], 404);
}
