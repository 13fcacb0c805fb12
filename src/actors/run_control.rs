//! What components may ask of the process itself: to end, to start over, to give up.
//!
//! The process listens on one bounded channel; the first word that ends the run wins, later ones are dropped.

use crate::domain::ids::ClientOrderId;
use crate::domain::oms::Actor;
use parking_lot::Mutex;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Words that may wait. Few are ever said in one run.
const WORDS_MAX: usize = 16;

/// A word to the process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// Drain, then start warm in place.
    Restart(Actor),
    /// The start was refused; nothing was changed.
    StartRefused(String),
    /// The drain is complete.
    Drained {
        /// Orders that are still open or unknown.
        left_over: Vec<ClientOrderId>,
    },
}

/// The speaking end. Cheap to clone.
#[derive(Debug, Clone)]
pub struct RunControl {
    words: mpsc::Sender<Word>,
    listener: Arc<Mutex<Option<mpsc::Receiver<Word>>>>,
}

impl Default for RunControl {
    fn default() -> Self {
        let (words, listener) = mpsc::channel(WORDS_MAX);
        Self { words, listener: Arc::new(Mutex::new(Some(listener))) }
    }
}

impl RunControl {
    /// Says a word; `false` when too many wait or nobody listens any more.
    pub fn say(&self, word: Word) -> bool {
        self.words.try_send(word).is_ok()
    }

    /// The listening end; there is one.
    #[must_use]
    pub fn listen(&self) -> Option<mpsc::Receiver<Word>> {
        self.listener.lock().take()
    }
}
