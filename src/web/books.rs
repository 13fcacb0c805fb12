//! `GET /api/v1/fills`, `/balances` and `/journal`: what was booked, in the order in which it was.

use super::pages::{Page, query_id, whole, wrong_query};
use super::problem::Problem;
use super::state::WebState;
use super::wire::{BalanceView, FillView, RowView};
use crate::db::FillFilter;
use crate::domain::ids::{ClientOrderId, StrategyId, Symbol};
use crate::domain::journal::Seq;
use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use serde::Deserialize;

/// Which page.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PageQuery {
    after: Option<String>,
    limit: Option<String>,
}

/// Which fills.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FillsQuery {
    client_order_id: Option<String>,
    strategy: Option<String>,
    symbol: Option<String>,
    after: Option<String>,
    limit: Option<String>,
}

/// `GET /api/v1/fills?client_order_id=&strategy=&symbol=&after=&limit=`: in the order of their booking.
pub(super) async fn fills(state: Data<WebState>, query: Query<FillsQuery>) -> Result<HttpResponse, Problem> {
    let page = Page::read(query.after.as_deref(), query.limit.as_deref())?;
    let order = query.client_order_id.as_deref().map(ClientOrderId::from_venue).transpose();
    let filter = FillFilter {
        order: order.map_err(|error| wrong_query("client_order_id", error.to_string()))?,
        strategy: query_id::<StrategyId>("strategy", query.strategy.as_deref())?,
        symbol: query_id::<Symbol>("symbol", query.symbol.as_deref())?,
    };
    let fills = state.read(move |books| books.fills(&filter, page.after, page.limit)).await?;
    let items: Vec<FillView<'_>> = fills.iter().map(|numbered| FillView::from(&numbered.fill)).collect();
    Ok(HttpResponse::Ok().json(page.answer(&items, fills.last().map(|last| last.number))))
}

/// `GET /api/v1/balances`: by the venue's last word, beside what the ledger expects.
pub(super) async fn balances(state: Data<WebState>) -> Result<HttpResponse, Problem> {
    let balances = state.read(|books| books.balances()).await?;
    let items: Vec<BalanceView<'_>> = balances.iter().map(BalanceView::from).collect();
    Ok(HttpResponse::Ok().json(whole(&items)))
}

/// `GET /api/v1/journal?after=seq&limit=`.
pub(super) async fn journal(state: Data<WebState>, query: Query<PageQuery>) -> Result<HttpResponse, Problem> {
    let page = Page::read(query.after.as_deref(), query.limit.as_deref())?;
    let after = Seq(page.after.unwrap_or_default());
    let rows = state.read(move |books| books.journal(after, page.limit)).await?;
    let items: Vec<RowView<'_>> = rows.iter().map(RowView::from).collect();
    Ok(HttpResponse::Ok().json(page.answer(&items, rows.last().map(|row| row.seq.0))))
}
