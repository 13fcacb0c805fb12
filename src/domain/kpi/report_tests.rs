//! The figures against reference outputs of independent implementations, and on series where those disagree.

use super::*;
use serde_json::Value;

/// Reads a reference file; `None`, with a word on why, where there is none.
fn golden(name: &str) -> Option<Value> {
    let Some(folder) = std::env::var_os("PLIMSOLL_GOLDEN") else {
        println!("skipped: PLIMSOLL_GOLDEN is not set");
        return None;
    };
    let text = std::fs::read_to_string(std::path::Path::new(&folder).join(name)).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

fn close(name: &str, got: f64, wanted: f64) {
    let slack = if wanted == 0.0 { 1e-12 } else { 1e-12 * wanted.abs() };
    assert!((got - wanted).abs() <= slack, "{name}: {got} is not {wanted}");
}

fn returns(of: &Value) -> Vec<f64> {
    let text = format!("{{\"returns\":{of}}}");
    super::super::Series::parse(&text).unwrap().returns
}

/// Every name of the reference block, within 1e-12.
#[test]
fn ten_returns_that_one_can_check_by_hand() {
    let Some(file) = golden("kpi_hand10.json") else { return };
    let made = ReturnFigures::of(&returns(&file["returns"]), Basis::yearly(252.0));
    let made = serde_json::to_value(&made).unwrap();
    let reference = file["reference"].as_object().unwrap();
    assert_eq!(reference.len(), 32);
    for (name, wanted) in reference {
        match wanted.as_f64() {
            Some(wanted) => close(name, made[name].as_f64().unwrap(), wanted),
            None => assert_eq!(&made[name], wanted, "{name}"),
        }
    }
    // quantstats uses the corrected moments here, of which there must be four; ours are the population's.
    close("probabilistic_sharpe", made["probabilistic_sharpe"].as_f64().unwrap(), 0.624_670_951_296_082_5);
}

/// What independent libraries answer with an infinity, a NaN or an exception has a reason here.
#[test]
fn edge_cases_answer_reasons() {
    let Some(file) = golden("kpi_edge_cases.json") else { return };
    for (name, case) in file["cases"].as_object().unwrap() {
        let made = ReturnFigures::of(&returns(&case["returns"]), Basis::yearly(252.0));
        let made = serde_json::to_value(&made).unwrap();
        for (theirs, ours) in [
            ("sharpe", "sharpe_ann"),
            ("sortino", "sortino_ann"),
            ("max_drawdown", "max_drawdown"),
            ("calmar", "calmar_252"),
            ("win_rate", "win_rate_ex_zero"),
            ("profit_factor", "profit_factor"),
        ] {
            let wanted = &case[format!("quantstats.{theirs}")];
            match wanted.as_f64() {
                // Without a win or a loss there is neither a rate nor a factor: theirs are zero.
                Some(_) if name == "all_zero" && theirs != "max_drawdown" => {
                    assert!(made[ours]["undefined"].is_string(), "{name} {ours}: {}", made[ours]);
                }
                Some(wanted) => close(&format!("{name} {ours}"), made[ours].as_f64().unwrap(), wanted),
                None => assert!(made[ours]["undefined"].is_string(), "{name} {ours}: {}", made[ours]),
            }
        }
    }
}

#[test]
fn published_values_of_the_papers() {
    let Some(file) = golden("kpi_psr_dsr.json") else { return };
    for case in file["cases"].as_array().unwrap() {
        let kind = case["kind"].as_str().unwrap();
        let input = |name: &str| case["inputs"][name].as_f64().unwrap();
        let shape =
            |ratio: f64, n: usize| Estimate { ratio, n, skew: input("skew"), kurtosis: input("kurt") };
        let whole = |name: &str| case["inputs"][name].as_u64().unwrap();
        let n = || usize::try_from(whole("n")).unwrap();
        let got = match kind {
            "psr" => shape(input("sr"), n()).probabilistic(input("benchmark")),
            "mintrl_years" => {
                let root = input("periods").sqrt();
                let estimate = shape(input("sr_ann") / root, 0);
                let record = estimate.minimum_track_record(input("bench_ann") / root, input("conf"));
                record.map(|observations| observations / input("periods"))
            }
            "expected_max_sr" => {
                Trials { n: whole("N"), variance: input("var_trials_per_period") }.expected_maximum()
            }
            "dsr" => {
                let trials = Trials { n: whole("N"), variance: input("var_trials_ann") / input("periods") };
                shape(input("sr_ann") / input("periods").sqrt(), n()).deflated(Some(trials))
            }
            other => panic!("an unknown kind: {other}"),
        };
        close(kind, got.value().unwrap(), case["value"].as_f64().unwrap());
    }
    for (sharpe, row) in file["min_track_record"].as_object().unwrap() {
        let sharpe: f64 = sharpe.parse().unwrap();
        for (name, periods, skew, kurtosis) in [
            ("mintrl_days_252_vs0", 252.0_f64, 0.0, 3.0),
            ("mintrl_days_365_vs0", 365.0, 0.0, 3.0),
            ("mintrl_days_365_fat", 365.0, -1.0, 8.0),
        ] {
            let estimate = Estimate { ratio: sharpe / periods.sqrt(), n: 0, skew, kurtosis };
            let got = estimate.minimum_track_record(0.0, 0.95).value().unwrap();
            close(name, got, row[name].as_f64().unwrap());
        }
    }
}

/// Net profits per trade: the flat trade is a loss after its costs.
#[test]
fn trades_after_costs() {
    let Some(file) = golden("kpi_trades_costs.json") else { return };
    let net: Vec<f64> = file["net"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
    let wins = Wins::of(&net);
    for (name, figure) in [
        ("win_rate", wins.rate()),
        ("profit_factor", wins.profit_factor()),
        ("expectancy", wins.expectancy()),
        ("avg_win", wins.average_win()),
        ("avg_loss", wins.average_loss()),
        ("payoff", wins.payoff()),
    ] {
        close(name, figure.value().unwrap(), file[name].as_f64().unwrap());
    }
}

#[test]
fn an_empty_series_has_every_name_and_no_figure() {
    let made = serde_json::to_value(ReturnFigures::of(&[], Basis::yearly(365.0))).unwrap();
    assert_eq!(made["n"], 0);
    assert_eq!(made["deflated_sharpe"]["undefined"], "trials_unknown");
    for (name, value) in made.as_object().unwrap() {
        let fixed = ["n", "periods_per_year", "index_note", "benchmark_sharpe_ann", "confidence", "trials"];
        assert!(fixed.contains(&name.as_str()) || value["undefined"].is_string(), "{name}: {value}");
    }
}

/// A slow recount with exact fractions would be better; this one takes another way through the same definitions.
fn recount(returns: &[f64]) -> (f64, f64, f64) {
    let n = count(returns.len());
    let mean = returns.iter().sum::<f64>() / n;
    let variance = returns.iter().map(|r| (r - mean) * (r - mean)).sum::<f64>() / (n - 1.0);
    let equity: Vec<f64> =
        (0..=returns.len()).map(|k| returns[..k].iter().map(|r| 1.0 + r).product()).collect();
    let mut worst = 0.0_f64;
    for later in 0..equity.len() {
        for earlier in 0..=later {
            worst = worst.min(equity[later] / equity[earlier] - 1.0);
        }
    }
    (mean, variance.sqrt(), worst)
}

proptest::proptest! {
    #[test]
    fn figures_are_those_of_a_slow_recount(
        drawn in proptest::collection::vec(-0.3_f64..0.3, 2..60),
    ) {
        let made = ReturnFigures::of(&drawn, Basis::yearly(365.0));
        let (mean, deviation, worst) = recount(&drawn);
        proptest::prop_assert!((made.moments.mean().value().unwrap() - mean).abs() < 1e-14);
        proptest::prop_assert!((made.moments.deviation().value().unwrap() - deviation).abs() < 1e-14);
        proptest::prop_assert!((made.path.maximum().value().unwrap() - worst).abs() < 1e-14);
    }

    /// Nothing but finite numbers and reasons comes out, whatever finite numbers go in.
    #[test]
    fn every_series_gets_an_answer(
        drawn in proptest::collection::vec(
            proptest::prop_oneof![
                proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL | proptest::num::f64::ZERO,
                -2.0_f64..2.0,
                proptest::strategy::Just(0.0),
            ],
            0..12,
        ),
    ) {
        let trials = Some(Trials { n: 3, variance: 0.1 });
        let made = ReturnFigures::of(&drawn, Basis { trials, ..Basis::yearly(252.0) });
        let text = serde_json::to_string(&made).unwrap();
        // serde_json writes what is not finite as null, which only a height not reached again may be.
        let nulls = text.matches("null").count();
        proptest::prop_assert!(nulls == 0 || nulls == 1 && text.contains("recovery_index\":null"), "{}", text);
    }
}
