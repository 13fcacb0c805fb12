//! What one screen shows of one instant, in plain values.
//!
//! Times are milliseconds since the UNIX epoch, figures are decimal strings as the API shows them. What is not known is
//! `None`, and shown as not known.

use super::model_system::{Component, Drift, Event, Incident, Node, Strategy};

/// Milliseconds since the UNIX epoch.
pub(crate) type Ms = i64;

/// Everything on the screen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Desk {
    /// The server's time.
    pub(crate) at: Ms,
    /// Whose screen it is.
    pub(crate) identity: Identity,
    /// May it trade?
    pub(crate) standing: Standing,
    /// Where the figures come from, and how old each source is.
    pub(crate) sources: Vec<Source>,
    /// Limits, tightest first; `None` without an order path.
    pub(crate) gauges: Option<Vec<Gauge>>,
    /// Gross exposure of the account with its currency; `None` when not known.
    pub(crate) gross: Option<String>,
    /// Limits that stand broken, and strategies that stand latched, in words.
    pub(crate) breaches: Vec<String>,
    /// Open alerts, those that nobody took first, then oldest first.
    pub(crate) alerts: Vec<Alert>,
    /// Channels by which alerts leave; `None` when there is nothing that delivers them.
    pub(crate) channels: Option<Vec<Channel>>,
    /// Positions that are not flat, and flat ones that disagree with the venue.
    pub(crate) positions: Vec<Position>,
    /// Flat positions that are not listed.
    pub(crate) flat_positions: usize,
    /// Balances.
    pub(crate) balances: Vec<Balance>,
    /// Open orders, youngest first.
    pub(crate) orders: Vec<Order>,
    /// Open orders that there are, listed or not.
    pub(crate) open_orders: usize,
    /// What could not be read from the books, in words.
    pub(crate) books_problem: Option<String>,
    /// Profit and loss by strategy.
    pub(crate) money: Vec<Money>,
    /// The currency of `money`.
    pub(crate) currency: String,
    /// Positions in other currencies, which no sum holds.
    pub(crate) unsummed: usize,
    /// Strategies.
    pub(crate) strategies: Vec<Strategy>,
    /// Parts of the process.
    pub(crate) nodes: Vec<Node>,
    /// What the health judge says of components; `None` when there is none.
    pub(crate) components: Option<Vec<Component>>,
    /// Incidents; `None` when nothing keeps them.
    pub(crate) incidents: Option<Vec<Incident>>,
    /// Streams that are watched for drift; `None` when nothing watches.
    pub(crate) drift: Option<Vec<Drift>>,
    /// What happened, youngest first.
    pub(crate) timeline: Vec<Event>,
}

/// What is at stake.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Stake {
    /// A paper exchange.
    Paper,
    /// A venue's test network.
    Testnet,
    /// Real money; also whatever is not known to be harmless.
    #[default]
    Live,
}

/// Whose screen it is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Identity {
    /// The account's label; what is typed before an unsafe word.
    pub(crate) label: String,
    /// The process among those of its deployment.
    pub(crate) instance: String,
    /// What is at stake.
    pub(crate) stake: Stake,
    /// Venues by name.
    pub(crate) venues: Vec<String>,
    /// Of the program.
    pub(crate) version: String,
    /// Of the settings.
    pub(crate) config_hash: String,
    /// Each venue's clock minus ours, milliseconds.
    pub(crate) skews: Vec<(String, Option<i64>)>,
    /// The largest step of the host's clock since the start, seconds.
    pub(crate) clock_step: Option<f64>,
}

/// The states that the banner has words for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum State {
    /// Not yet.
    #[default]
    Starting,
    /// Comparing with the venues.
    Reconciling,
    /// Trading.
    Running,
    /// No new entries.
    Paused,
    /// Only smaller.
    ReduceOnly,
    /// Nothing goes out.
    Halted,
    /// Ending.
    Draining,
}

/// May it trade, why, by whose word, since when?
#[derive(Debug, Clone, Default)]
pub(crate) struct Standing {
    /// The state.
    pub(crate) state: State,
    /// The version that an unsafe word must name.
    pub(crate) version: Option<u64>,
    /// Why.
    pub(crate) reason: String,
    /// Who.
    pub(crate) actor: String,
    /// Since when.
    pub(crate) since: Option<Ms>,
    /// The kill switch, while it is engaged.
    pub(crate) killed: Option<Killed>,
    /// Gates that are closed, by name and reason; the state itself is not among them.
    pub(crate) closed: Vec<(String, String)>,
    /// What becomes of resting orders by a pause, in words.
    pub(crate) on_pause: String,
    /// And by a kill.
    pub(crate) on_kill: String,
    /// Does anything trade in this process at all?
    pub(crate) trades: bool,
}

/// The kill switch, engaged.
#[derive(Debug, Clone, Default)]
pub(crate) struct Killed {
    /// By what.
    pub(crate) cause: String,
    /// Who.
    pub(crate) actor: String,
    /// Why.
    pub(crate) reason: String,
    /// Since when.
    pub(crate) at: Ms,
    /// Why the disk may not hold it; `None` when it does.
    pub(crate) not_durable: Option<String>,
    /// Placements without an answer.
    pub(crate) in_flight: u64,
    /// The file HALT lies in the data directory.
    pub(crate) halt_file: bool,
}

/// Where figures come from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Source {
    /// Its name in the page: `market/paper`. Panels name what they depend on by its beginning.
    pub(crate) id: String,
    /// For people.
    pub(crate) label: String,
    /// When it last said something; `None` before the first time.
    pub(crate) last: Option<Ms>,
    /// From this age on it is late, milliseconds; `None` when silence is no fault.
    pub(crate) late_ms: Option<u64>,
    /// From this age on it is stale.
    pub(crate) stale_ms: Option<u64>,
    /// Why it counts as stale whatever its age.
    pub(crate) broken: Option<String>,
    /// What else there is to say.
    pub(crate) note: String,
}

/// A limit.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gauge {
    /// Its name.
    pub(crate) name: String,
    /// Of what.
    pub(crate) scope: String,
    /// What is used.
    pub(crate) used: Option<String>,
    /// The limit.
    pub(crate) limit: Option<String>,
    /// Used over limit, per mille; `None` when not known.
    pub(crate) per_mille: Option<u64>,
}

/// How bad.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// To be known.
    Info,
    /// To be looked at.
    #[default]
    Warning,
    /// Money may be lost while nobody looks.
    Critical,
}

/// An open alert.
#[derive(Debug, Clone, Default)]
pub(crate) struct Alert {
    /// What an acknowledgement names.
    pub(crate) id: String,
    /// Its code, and its runbook's name.
    pub(crate) code: String,
    /// What it is about.
    pub(crate) scope: String,
    /// How bad.
    pub(crate) severity: Severity,
    /// In a sentence.
    pub(crate) reason: String,
    /// Since when.
    pub(crate) raised_at: Ms,
    /// Who took it, and when.
    pub(crate) acked: Option<(String, Ms)>,
    /// How far its escalation is, in words.
    pub(crate) step: Option<String>,
    /// When and to whom it goes next.
    pub(crate) next_hop: Option<(Ms, String)>,
    /// Where it went, and with what result.
    pub(crate) deliveries: Vec<Delivery>,
    /// The alert that it is a consequence of.
    pub(crate) cause: Option<String>,
    /// Can it be acknowledged here?
    pub(crate) can_ack: bool,
}

/// An alert on its way.
#[derive(Debug, Clone, Default)]
pub(crate) struct Delivery {
    /// By which channel.
    pub(crate) channel: String,
    /// How far.
    pub(crate) status: String,
    /// What went wrong last.
    pub(crate) error: Option<String>,
}

/// A way by which alerts leave.
#[derive(Debug, Clone, Default)]
pub(crate) struct Channel {
    /// Its name.
    pub(crate) name: String,
    /// Does it work, as far as the last try says?
    pub(crate) good: Option<bool>,
    /// The last confirmed delivery.
    pub(crate) last_ok: Option<Ms>,
    /// What else there is to say.
    pub(crate) note: String,
}

/// A position as we see it and as the venue does.
#[derive(Debug, Clone, Default)]
pub(crate) struct Position {
    /// Where.
    pub(crate) venue: String,
    /// Instrument.
    pub(crate) symbol: String,
    /// Whose.
    pub(crate) strategy: String,
    /// Ours.
    pub(crate) quantity: String,
    /// What all strategies together hold of the instrument, by our books.
    pub(crate) all: Option<String>,
    /// And by the venue.
    pub(crate) venue_quantity: Option<String>,
    /// When the venue's word was compared.
    pub(crate) compared_at: Option<Ms>,
    /// Do the two differ?
    pub(crate) mismatch: bool,
    /// Average price.
    pub(crate) average_price: Option<String>,
    /// What it is valued at.
    pub(crate) mark: Option<String>,
    /// Realised.
    pub(crate) realised: String,
    /// Unrealised.
    pub(crate) unrealised: Option<String>,
}

/// A balance as the venue says and as the books expect.
#[derive(Debug, Clone, Default)]
pub(crate) struct Balance {
    /// Where.
    pub(crate) venue: String,
    /// Asset.
    pub(crate) asset: String,
    /// By the venue.
    pub(crate) total: Option<String>,
    /// By the books.
    pub(crate) expected: Option<String>,
    /// Do the two differ?
    pub(crate) mismatch: bool,
    /// When they were compared.
    pub(crate) compared_at: Option<Ms>,
}

/// An open order as we see it and as the venue does.
#[derive(Debug, Clone, Default)]
pub(crate) struct Order {
    /// Ours.
    pub(crate) id: String,
    /// The venue's.
    pub(crate) venue_order_id: Option<String>,
    /// Where.
    pub(crate) venue: String,
    /// Instrument.
    pub(crate) symbol: String,
    /// Whose.
    pub(crate) strategy: String,
    /// `buy` or `sell`.
    pub(crate) side: &'static str,
    /// `limit`, `market` ...
    pub(crate) kind: String,
    /// How much.
    pub(crate) quantity: String,
    /// At what price.
    pub(crate) price: Option<String>,
    /// Executed, by the venue.
    pub(crate) executed: String,
    /// Executed, by our books.
    pub(crate) booked: String,
    /// Its state on the wire.
    pub(crate) state: String,
    /// Nobody knows what became of it.
    pub(crate) unknown: bool,
    /// The venue has not confirmed its state yet.
    pub(crate) pending: bool,
    /// Venue and books disagree.
    pub(crate) mismatch: bool,
    /// Last change.
    pub(crate) updated_at: Ms,
}

/// Profit and loss of a strategy.
#[derive(Debug, Clone, Default)]
pub(crate) struct Money {
    /// Whose; `all` for the sum.
    pub(crate) strategy: String,
    /// Realised, before fees paid in other assets.
    pub(crate) realised: String,
    /// Unrealised; `None` when a price is missing.
    pub(crate) unrealised: Option<String>,
    /// The two together.
    pub(crate) total: Option<String>,
}
