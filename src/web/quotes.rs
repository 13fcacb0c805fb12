//! `GET /api/v1/quotes`: the top of every book that is in step, and the last trade, as the runtime itself sees them.
//!
//! For strategies outside the process, and for people who ask what a position is valued at.

use super::pages::whole;
use super::state::WebState;
use super::wire::time;
use actix_web::HttpResponse;
use actix_web::web::Data;
use serde_json::{Value, json};

/// Bid and ask are null while the book is not in step: an old price is no price.
pub(super) async fn quotes(state: Data<WebState>) -> HttpResponse {
    let mut items: Vec<Value> = Vec::new();
    for (venue, board) in &state.readings.boards {
        for (symbol, seen) in board.all() {
            let (bid, ask) = (seen.book.map(|top| top.bid), seen.book.map(|top| top.ask));
            items.push(json!({
                "venue": venue.as_str(),
                "symbol": symbol.as_str(),
                "bid": bid.map(|level| level.price),
                "bid_quantity": bid.map(|level| level.quantity),
                "ask": ask.map(|level| level.price),
                "ask_quantity": ask.map(|level| level.quantity),
                "last_price": seen.trade.as_ref().map(|trade| trade.price),
                "last_trade_at": seen.trade.as_ref().and_then(|trade| time(trade.at)),
            }));
        }
    }
    HttpResponse::Ok().json(whole(&items))
}
