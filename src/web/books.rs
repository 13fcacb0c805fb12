//! `GET /api/v1/fills`, `/balances` and `/journal`: what was booked, in the order in which it was.

use super::pages::{Page, whole};
use super::problem::Problem;
use super::state::WebState;
use super::wire::{BalanceView, FillView, RowView};
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

/// `GET /api/v1/fills?after=&limit=`.
pub(super) async fn fills(state: Data<WebState>, query: Query<PageQuery>) -> Result<HttpResponse, Problem> {
    let page = Page::read(query.after.as_deref(), query.limit.as_deref())?;
    let fills = state.read(move |books| books.fills(page.after, page.limit)).await?;
    let items: Vec<FillView<'_>> = fills.iter().map(|(_, fill)| FillView::from(fill)).collect();
    Ok(HttpResponse::Ok().json(page.answer(&items, fills.last().map(|(place, _)| *place))))
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
    let rows = state.read(move |books| books.journal(Seq(page.after), page.limit)).await?;
    let items: Vec<RowView<'_>> = rows.iter().map(RowView::from).collect();
    Ok(HttpResponse::Ok().json(page.answer(&items, rows.last().map(|row| row.seq.0))))
}
