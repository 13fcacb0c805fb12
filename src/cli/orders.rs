//! `plimsoll order`: place, show, cancel and replace single orders by hand.
//!
//! The instance judges everything; nothing is checked here that it checks better.

use super::Exit;
use super::client::{Call, Remote, segment, text};
use super::read;
use clap::{Args, Subcommand};
use serde_json::{Map, Value};
use std::io::Write;

/// What to do with an order.
#[derive(Debug, Subcommand)]
pub enum OrderCommand {
    /// Place one; it is on disk when this returns.
    Submit(SubmitArgs),
    /// Everything that is known of one.
    Show(OrderArgs),
    /// Begin to cancel one.
    Cancel(CancelArgs),
    /// Cancel one and place another in its stead.
    Replace(ReplaceArgs),
}

/// Options of `plimsoll order submit`.
#[derive(Debug, Args)]
pub struct SubmitArgs {
    /// Instrument, as the venue spells it.
    #[arg(long)]
    symbol: String,
    /// buy or sell.
    #[arg(long)]
    side: String,
    /// limit, market or limit_maker.
    #[arg(long = "type", default_value = "limit")]
    kind: String,
    /// Base quantity.
    #[arg(long)]
    quantity: String,
    /// Limit price.
    #[arg(long)]
    price: Option<String>,
    /// gtc, ioc or fok.
    #[arg(long)]
    time_in_force: Option<String>,
    /// Where; may be left out when one venue is configured.
    #[arg(long)]
    venue: Option<String>,
    /// Whose order it is.
    #[arg(long, default_value = "manual")]
    strategy: String,
    /// Your own id; the same id again is the same order.
    #[arg(long, value_name = "ID")]
    client_order_id: Option<String>,
    /// May only make a position smaller.
    #[arg(long)]
    reduce_only: bool,
    /// Where a loss would be cut.
    #[arg(long)]
    stop_loss: Option<String>,
    #[command(flatten)]
    pub(super) remote: Remote,
}

impl SubmitArgs {
    /// The order as the API takes it.
    pub(super) fn body(&self) -> Value {
        let reduce_only = self.reduce_only.then_some(true);
        object([
            ("client_order_id", self.client_order_id.clone().map(Value::from)),
            ("venue", self.venue.clone().map(Value::from)),
            ("symbol", Some(self.symbol.clone().into())),
            ("side", Some(self.side.clone().into())),
            ("type", Some(self.kind.clone().into())),
            ("quantity", Some(self.quantity.clone().into())),
            ("price", self.price.clone().map(Value::from)),
            ("time_in_force", self.time_in_force.clone().map(Value::from)),
            ("stop_loss", self.stop_loss.clone().map(Value::from)),
            ("reduce_only", reduce_only.map(Value::from)),
            ("strategy", Some(self.strategy.clone().into())),
        ])
    }
}

/// Options of `plimsoll order show`.
#[derive(Debug, Args)]
pub struct OrderArgs {
    /// The client order id.
    order: String,
    #[command(flatten)]
    remote: Remote,
}

/// Options of `plimsoll order cancel`.
#[derive(Debug, Args)]
pub struct CancelArgs {
    /// The client order id.
    order: String,
    /// Why; it stands in the journal.
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

/// Options of `plimsoll order replace`.
#[derive(Debug, Args)]
pub struct ReplaceArgs {
    /// The client order id of the order to replace.
    order: String,
    /// New limit price.
    #[arg(long)]
    price: String,
    /// New total quantity, including what the original has executed.
    #[arg(long)]
    quantity: String,
    /// Your own id for the new order.
    #[arg(long, value_name = "ID")]
    client_order_id: Option<String>,
    /// Why; it stands in the journal.
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

/// Runs the command.
///
/// # Errors
/// When the answer is not one of ours or the output cannot be written.
pub fn run(command: &OrderCommand, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    match command {
        OrderCommand::Submit(args) => {
            let body = args.body();
            args.remote.show(Call::post("/api/v1/orders", body), out, err, taken)
        }
        OrderCommand::Show(args) => read::order(&args.order, &args.remote, out, err),
        OrderCommand::Cancel(args) => {
            let path = format!("/api/v1/orders/{}", segment(&args.order));
            let call = Call::delete(&path).with("reason", args.reason.as_ref());
            args.remote.show(call, out, err, taken)
        }
        OrderCommand::Replace(args) => {
            let path = format!("/api/v1/orders/{}/replace", segment(&args.order));
            let body = object([
                ("client_order_id", args.client_order_id.clone().map(Value::from)),
                ("price", Some(args.price.clone().into())),
                ("quantity", Some(args.quantity.clone().into())),
                ("reason", args.reason.clone().map(Value::from)),
            ]);
            args.remote.show(Call::post(&path, body), out, err, taken)
        }
    }
}

fn taken(answer: &Value, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{}  {}", text(answer, "client_order_id"), text(answer, "state"))
}

/// The members that have a value.
pub(super) fn object<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let given = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(given.collect::<Map<_, _>>())
}
