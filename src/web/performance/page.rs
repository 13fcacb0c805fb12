//! `GET /performance`: the figures and their charts for a browser, made here, without a script.
//!
//! It shows what the API answers and nothing else; what has no value says why.

use super::super::problem::Problem;
use super::super::state::WebState;
use super::api::answers;
use super::chart::{Dot, line};
use super::question::{Figures, Parameters, Question};
use crate::domain::kpi::{CurvePoint, Figure, Maybe, Period, Undefined, curve};
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

/// Only what this host serves, and no script at all.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Decimals of money.
const MONEY_PLACES: u32 = 4;

/// `GET /performance/style.css`.
pub(in crate::web) async fn style(_: HttpRequest) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/css; charset=utf-8"))
        .insert_header((CACHE_CONTROL, "public, max-age=3600"))
        .body(include_str!("style.css"))
}

/// A figure as shown.
struct Shown {
    name: &'static str,
    text: String,
    defined: bool,
}

/// A line of the table of scopes.
struct Row {
    strategy: String,
    venue: String,
    link: String,
    cells: Vec<Shown>,
}

struct Link {
    word: String,
    address: String,
    current: bool,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark">
<meta name="robots" content="noindex">
<meta http-equiv="refresh" content="60">
<title>performance - plimsoll</title>
<link rel="stylesheet" href="/performance/style.css">
</head>
<body>
<header><h1>Performance: {{ title }}</h1>
<nav aria-label="Period">{% for link in periods %}<a href="{{ link.address }}"{% if link.current %} aria-current="page"{% endif %}>{{ link.word }}</a>{% endfor %}</nav>
<nav aria-label="Pages"><a href="/">desk</a> <a href="/performance?period={{ period }}">all</a></nav></header>
{% if let Some(why) = failure %}<p class="warn" role="alert">No new figures: {{ why }}</p>{% endif %}
<p class="dim">{{ observed }}</p>
<section><h2>Equity</h2>{% if let Some(chart) = equity %}{{ chart|safe }}{% else %}<p class="dim">{{ no_equity }}</p>{% endif %}</section>
<section class="fall"><h2>Drawdown</h2>{% if let Some(chart) = drawdown %}{{ chart|safe }}{% else %}<p class="dim">{{ no_drawdown }}</p>{% endif %}</section>
<section><h2>By strategy and venue</h2><div class="scroll" tabindex="0" role="region" aria-label="By strategy and venue"><table><thead><tr><th scope="col">strategy</th><th scope="col">venue</th>{% for cell in heads %}<th scope="col">{{ cell.name }}</th>{% endfor %}</tr></thead><tbody>{% for row in rows %}<tr><td><a href="{{ row.link }}">{{ row.strategy }}</a></td><td>{{ row.venue }}</td>{% for cell in row.cells %}<td{% if !cell.defined %} class="dim"{% endif %}>{{ cell.text }}</td>{% endfor %}</tr>{% endfor %}</tbody></table></div></section>
<div class="columns">{% for group in groups %}<section><h2>{{ group.0 }}</h2><dl>{% for one in group.1 %}<dt>{{ one.name }}</dt><dd{% if !one.defined %} class="undefined"{% endif %}>{{ one.text }}</dd>{% endfor %}</dl></section>{% endfor %}</div>
</body>
</html>
"#
)]
struct PageView {
    title: String,
    period: &'static str,
    periods: Vec<Link>,
    failure: Option<String>,
    observed: String,
    equity: Option<String>,
    no_equity: String,
    drawdown: Option<String>,
    no_drawdown: String,
    heads: Vec<Shown>,
    rows: Vec<Row>,
    groups: Vec<(&'static str, Vec<Shown>)>,
}

/// See the module's head.
pub(in crate::web) async fn page(
    state: Data<WebState>,
    parameters: Query<Parameters>,
) -> Result<HttpResponse, Problem> {
    let question = Question::read(&state, &parameters)?;
    let items = answers(&state, &question).await?;
    let (points, clock) = question.curve(&state, &question.scope).await?;
    let moments = curve(&points, clock, &question.costs(&question.scope));
    let latest = state.readings.performance.latest();
    let own = items
        .iter()
        .find(|one| one.strategy == question.scope.strategy && one.venue == question.scope.venue)
        .ok_or_else(|| Problem::internal("the question's own figures are missing"))?;
    let period = question.period.word();
    let (equity, no_equity) = equity_chart(&moments);
    let fall = |moment: &CurvePoint| moment.drawdown.value();
    let share = |value: f64| format!("{:.2} %", value * 100.0);
    let drawdown = line(&dots(&moments, fall), "Drawdown from the greatest equity so far", share);
    let summary = &own.summary;
    let observed = match (&summary.from, &summary.to) {
        (Some(from), Some(to)) => format!(
            "Observed from {from} to {to}; returns every {} s: n = {}, gaps = {}; {} periods a year.",
            summary.clock_seconds, summary.returns.n, summary.gaps, summary.returns.basis.periods_per_year
        ),
        _ => "Nothing was observed yet.".to_owned(),
    };
    let view = PageView {
        title: title(own),
        period,
        periods: Period::ALL.iter().map(|word| period_link(own, *word, question.period)).collect(),
        failure: latest.failure,
        observed,
        equity,
        no_equity,
        drawdown,
        no_drawdown: "No curve: the equity needs a budget and two observations.".to_owned(),
        heads: cells(own),
        rows: items.iter().map(|one| row(one, period)).collect(),
        groups: groups(own),
    };
    let html = view.render().map_err(|error| Problem::internal(error.to_string()))?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(html))
}

fn title(figures: &Figures) -> String {
    let strategy = figures.strategy.as_ref().map_or("all strategies", |s| s.as_str());
    match &figures.venue {
        Some(venue) => format!("{strategy} at {venue}"),
        None => strategy.to_owned(),
    }
}

fn address(figures: &Figures, period: &str) -> String {
    let mut address = format!("/performance?period={period}");
    // Names are letters, digits and a few marks that need no escape in a query.
    for (name, value) in [
        ("strategy", figures.strategy.as_ref().map(|s| s.as_str())),
        ("venue", figures.venue.as_ref().map(|v| v.as_str())),
    ] {
        if let Some(value) = value {
            address.push_str(&format!("&{name}={value}"));
        }
    }
    address
}

fn period_link(figures: &Figures, period: Period, current: Period) -> Link {
    let word = period.word();
    Link { word: word.to_owned(), address: address(figures, word), current: period == current }
}

fn dots(moments: &[CurvePoint], of: impl Fn(&CurvePoint) -> Option<f64>) -> Vec<Dot> {
    moments.iter().map(|moment| Dot { at: moment.at, value: of(moment), gap: moment.gap }).collect()
}

/// Equity where there is a budget, else profit.
fn equity_chart(moments: &[CurvePoint]) -> (Option<String>, String) {
    let double = |value: &Maybe<Decimal>| value.0.as_ref().ok().and_then(Decimal::to_f64);
    let budgeted = moments.iter().any(|moment| moment.equity.0.is_ok());
    let name = if budgeted { "Equity: budget and profit" } else { "Profit since the beginning" };
    let value = |moment: &CurvePoint| double(if budgeted { &moment.equity } else { &moment.pnl });
    let svg = line(&dots(moments, value), name, |value| format!("{value:.2}"));
    (svg, "No curve: two observations are needed.".to_owned())
}

fn shown(name: &'static str, text: Result<String, Undefined>) -> Shown {
    let defined = text.is_ok();
    Shown { name, text: text.unwrap_or_else(|why| why.to_string()), defined }
}

fn money(name: &'static str, value: &Maybe<Decimal>) -> Shown {
    shown(name, value.0.as_ref().map(|value| value.round_dp(MONEY_PLACES).to_string()).map_err(|why| *why))
}

fn plain(name: &'static str, figure: Figure) -> Shown {
    shown(name, figure.get().map(|value| format!("{value:.4}")))
}

fn percent(name: &'static str, figure: Figure) -> Shown {
    shown(name, figure.get().map(|value| format!("{:.2} %", value * 100.0)))
}

fn cells(figures: &Figures) -> Vec<Shown> {
    let summary = &figures.summary;
    let sums = match &summary.money.0 {
        Ok(sums) => {
            vec![money("P&L", &sums.pnl), money("fees", &sums.fees), money("turnover", &sums.turnover)]
        }
        Err(why) => ["P&L", "fees", "turnover"].map(|name| shown(name, Err(*why))).into(),
    };
    let fills = summary.execution.orders.fills.to_string();
    sums.into_iter()
        .chain([
            percent("ROI", summary.roi),
            plain("Sharpe", summary.returns.sharpe),
            percent("deepest fall", fall(figures)),
            shown("fills", Ok(fills)),
        ])
        .collect()
}

fn fall(figures: &Figures) -> Figure {
    figures.summary.drawdown.0.as_ref().map(|fall| fall.depth).map_err(|why| *why).into()
}

fn row(figures: &Figures, period: &str) -> Row {
    Row {
        strategy: figures.strategy.as_ref().map_or("all", |s| s.as_str()).to_owned(),
        venue: figures.venue.as_ref().map_or("all", |v| v.as_str()).to_owned(),
        link: address(figures, period),
        cells: cells(figures),
    }
}

fn groups(figures: &Figures) -> Vec<(&'static str, Vec<Shown>)> {
    let summary = &figures.summary;
    let made = match &summary.money.0 {
        Ok(sums) => vec![
            shown("asset", Ok(sums.asset.to_string())),
            money("realised", &sums.realised_pnl),
            money("unrealised", &sums.unrealised_pnl),
            money("fees", &sums.fees),
            money("P&L after fees", &sums.pnl),
            money("running costs", &Maybe(Ok(sums.running_costs))),
            money("funding", &Maybe(Ok(sums.funding))),
            money("P&L after all costs", &sums.net_pnl),
            money("slippage (in P&L)", &sums.slippage),
            money("turnover", &sums.turnover),
            money("held", &sums.exposure),
            money("budget", &sums.budget),
        ],
        Err(why) => vec![shown("P&L", Err(*why))],
    };
    let returns = &summary.returns;
    let n = summary.returns.n;
    let risk = vec![
        shown("returns", Ok(n.to_string())),
        percent("ROI", summary.roi),
        plain("Sharpe", returns.sharpe),
        plain("Sortino", returns.sortino),
        plain("Calmar", returns.path.calmar(returns.basis.periods_per_year)),
        percent("deepest fall", fall(figures)),
        percent("P(true Sharpe > 0)", returns.probabilistic_sharpe),
        plain("shortest track record, returns", returns.minimum_track_record),
        percent("deflated Sharpe", returns.deflated_sharpe),
        percent("time with a position", summary.exposure_time),
    ];
    let trips = match &summary.trips.0 {
        Ok(trips) => vec![
            shown("round trips", Ok(trips.n.to_string())),
            percent("win rate", trips.win_rate),
            plain("profit factor", trips.profit_factor),
            plain("payoff", trips.payoff),
            plain("expectancy", trips.expectancy),
            shown("mean holding", trips.mean_holding_seconds.get().map(|seconds| format!("{seconds:.1} s"))),
        ],
        Err(why) => vec![shown("round trips", Err(*why))],
    };
    let execution = &summary.execution;
    let counted = |n: u64| Ok(n.to_string());
    let orders = vec![
        shown("taken", counted(execution.orders.taken)),
        shown("denied here", counted(execution.orders.denied)),
        shown("rejected by the venue", counted(execution.orders.rejected)),
        shown("cancelled", counted(execution.orders.cancelled)),
        shown("expired", counted(execution.orders.expired)),
        shown("filled", counted(execution.orders.filled)),
        shown("fills", counted(execution.orders.fills)),
        percent("fill rate", execution.fill_rate),
        percent("rejection rate", execution.rejection_rate),
        percent("maker share", execution.maker_share),
        shown("slippage", execution.slippage_bps.get().map(|bps| format!("{bps:.2} bp"))),
    ];
    vec![("Money", made), ("Return and risk", risk), ("Round trips", trips), ("Orders", orders)]
}
