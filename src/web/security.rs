//! Everything that decides who may ask what, and how often: one value, made when the process starts.

use super::audit::Lane;
use super::guard::Names;
use super::idempotency::Keys;
use super::keyring::Keyring;
use super::pace::Pace;
use super::session::Sessions;
use super::throttle::Throttle;
use crate::actors::journal::AppendControls;
use crate::config::web::Web;
use crate::db::TokenFile;
use crate::supervision::Port;
use parking_lot::Mutex;
use std::path::Path;

/// See the module's head.
#[derive(Debug)]
pub struct Security {
    pub(super) names: Names,
    pub(super) keyring: Keyring,
    pub(super) throttle: Mutex<Throttle>,
    pub(super) pace: Mutex<Pace>,
    pub(super) keys: Keys,
    pub(super) lane: Lane,
    pub(super) sessions: Sessions,
}

impl Security {
    /// By the settings, the tokens of the data directory, and the journal's lane for lines of the audit.
    #[must_use]
    pub fn new(web: &Web, data_dir: &Path, controls: Option<Port<AppendControls>>) -> Self {
        Self {
            names: Names::new(web.listen.ip(), &web.allowed_hosts),
            keyring: Keyring::new(TokenFile::at(data_dir), web.listen.ip().is_loopback()),
            throttle: Mutex::default(),
            pace: Mutex::new(Pace::new(web.requests_per_second)),
            keys: Keys::default(),
            lane: Lane::new(controls),
            sessions: Sessions::new(data_dir, web.tls_terminated_elsewhere),
        }
    }
}
