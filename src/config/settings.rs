//! The operator's settings: every key, its unit, its default and its limits.
//!
//! Owns the root of the configuration and the small sections; larger ones have their own files. Every
//! section refuses unknown keys, and `validate()` reports all problems. Does not read files; see
//! [`super::load`].

use super::alerts::Alerts;
use super::controls::Controls;
use super::heartbeat::HeartbeatSettings;
use super::kill_switch::KillSwitchSettings;
use super::load::Configuration;
use super::orders::Orders;
use super::paper_exchange::PaperExchangeSettings;
use super::problems::Problems;
use super::risk::Risk;
use super::sentinel::SentinelSettings;
use super::strategies::StrategySettings;
use super::supervision::Supervision;
use super::venues::Venue;
use super::web::Web;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Longest name of a deployment or instance, in characters.
pub const NAME_CHARS_MAX: usize = 64;

/// Everything an operator can set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Which deployment this is; each of its values becomes a field of every log line.
    pub deployment: Deployment,
    /// Logs.
    pub telemetry: Telemetry,
    /// The HTTP surface.
    pub web: Web,
    /// Folder for everything that must survive a restart; created when missing. Relative paths start
    /// at the working directory.
    pub data_dir: DataDir,
    /// Where orders go. Without any, nothing trades.
    pub venues: Vec<Venue>,
    /// The exchange inside this process.
    pub paper_exchange: PaperExchangeSettings,
    /// Who may place orders.
    pub strategies: Vec<StrategySettings>,
    /// The order management.
    pub orders: Orders,
    /// What becomes of resting orders when trading is stopped.
    pub controls: Controls,
    /// What the kill switch does besides stopping everything.
    pub kill_switch: KillSwitchSettings,
    /// How often venues are asked for a sign of life.
    pub heartbeat: HeartbeatSettings,
    /// What is expected of every feed and component, and what is done when it does not hold.
    pub sentinel: SentinelSettings,
    /// Limits before every order; what nobody set denies.
    pub risk: Risk,
    /// Who is told when something is wrong, and how.
    pub alerts: Alerts,
    /// Restart, backoff and hang limits.
    pub supervision: Supervision,
}

/// Which deployment this is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Deployment {
    /// Name of the deployment: 1 to 64 of `A-Z a-z 0-9 . _ -`.
    #[schemars(regex(pattern = r"^[A-Za-z0-9._-]{1,64}$"))]
    pub name: String,
    /// What is at stake.
    pub environment: Environment,
    /// Name of this process among those of the deployment: 1 to 64 of `A-Z a-z 0-9 . _ -`.
    #[schemars(regex(pattern = r"^[A-Za-z0-9._-]{1,64}$"))]
    pub instance: String,
}

impl Default for Deployment {
    fn default() -> Self {
        Self { name: "plimsoll".into(), environment: Environment::default(), instance: "local".into() }
    }
}

/// What is at stake in a deployment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// A developer's machine.
    #[default]
    Development,
    /// A rehearsal of production.
    Staging,
    /// Real money.
    Production,
}

/// Logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Telemetry {
    /// Form of a log line.
    pub log_format: LogFormat,
    /// Filter: a level, and `target=level` for exceptions, separated by commas.
    pub log_level: String,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self { log_format: LogFormat::default(), log_level: "info".into() }
    }
}

/// Form of a log line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// `human` on a terminal, `json` otherwise.
    #[default]
    Auto,
    /// For eyes.
    Human,
    /// One JSON object per line.
    Json,
}

/// A folder; `data` unless set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct DataDir(
    /// The folder's path.
    pub PathBuf,
);

impl Default for DataDir {
    fn default() -> Self {
        Self("data".into())
    }
}

impl Configuration for Settings {
    fn validate(&self, problems: &mut Problems) {
        name(problems, "deployment.name", &self.deployment.name);
        name(problems, "deployment.instance", &self.deployment.instance);
        log_level(problems, &self.telemetry.log_level);
        self.web.validate(self.deployment.environment, problems);
        if self.data_dir.0.as_os_str().is_empty() {
            problems.rule("data_dir", "data_dir_empty", "the path is empty", "name a folder, such as `data`");
        }
        super::venues::validate(&self.venues, problems);
        self.paper_exchange.validate(problems);
        super::strategies::validate(&self.strategies, &self.venues, problems);
        self.orders.validate(problems);
        self.heartbeat.validate(problems);
        self.sentinel.validate(problems, &self.venues);
        self.risk.validate(problems, &self.venues, &self.strategies);
        self.alerts.validate(problems);
        self.supervision.validate(problems);
    }
}

fn name(problems: &mut Problems, path: &str, value: &str) {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if value.is_empty() || value.len() > NAME_CHARS_MAX || !value.chars().all(is_allowed) {
        let shown: String = value.chars().take(NAME_CHARS_MAX).collect();
        let advice = "use 1 to 64 characters from A-Z, a-z, 0-9, `.`, `_`, `-`";
        problems.rule(path, "bad_name", format!("`{shown}` is not a name"), advice);
    }
}

/// The filter grammar reads any lone word as a target, so `inof` would silently mean "trace for the
/// target inof and nothing else": a lone word must be a level.
fn log_level(problems: &mut Problems, filter: &str) {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let mut refuse = |problem: String, advice: String| {
        problems.rule("telemetry.log_level", "bad_log_level", problem, advice);
    };
    if filter.trim().is_empty() {
        return refuse("the filter is empty".into(), "give a level such as `info`".into());
    }
    for word in filter.split(',').map(str::trim) {
        let is_lone = word.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | ':' | '-'));
        if is_lone && !LEVELS.contains(&word.to_ascii_lowercase().as_str()) {
            let known: Vec<String> = LEVELS.iter().map(|level| (*level).to_owned()).collect();
            let advice =
                format!("{}; for one target write `target=level`", super::fault::suggest(word, &known));
            return refuse(format!("`{word}` is not a log level"), advice);
        }
    }
    if let Err(error) = tracing_subscriber::EnvFilter::builder().parse(filter) {
        refuse(format!("not a log filter: {error}"), "write `info` or `info,plimsoll::web=debug`".into());
    }
}
