//! Profit and loss, and whether each strategy trades.

use super::edition::render;
use super::figures::Gain;
use super::model::{Desk, Money};
use super::model_system::Strategy;
use askama::Template;

struct Line<'a> {
    name: &'a str,
    strategy: Option<&'a Strategy>,
    realised: Gain,
    unrealised: Gain,
    total: Gain,
}

#[derive(Template)]
#[template(path = "money.html")]
struct Panel<'a> {
    desk: &'a Desk,
    lines: Vec<Line<'a>>,
}

fn line<'a>(name: &'a str, money: Option<&Money>, strategy: Option<&'a Strategy>) -> Line<'a> {
    Line {
        name,
        strategy,
        realised: Gain::of(money.map(|money| money.realised.as_str())),
        unrealised: Gain::of(money.and_then(|money| money.unrealised.as_deref())),
        total: Gain::of(money.and_then(|money| money.total.as_deref())),
    }
}

pub(super) fn money(desk: &Desk) -> String {
    let of = |name: &str| desk.money.iter().find(|money| money.strategy == name);
    let known = desk.strategies.iter().map(|one| line(&one.name, of(&one.name), Some(one)));
    // Fills may belong to a strategy that is no longer configured.
    let is_known = |money: &&Money| desk.strategies.iter().any(|one| one.name == money.strategy);
    let other = desk.money.iter().filter(|money| !is_known(money));
    let lines = known.chain(other.map(|money| line(&money.strategy, Some(money), None)));
    render(&Panel { desk, lines: lines.collect() })
}
