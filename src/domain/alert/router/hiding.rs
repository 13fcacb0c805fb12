//! What hides an alert, a root or a silence, and what happens when that is gone.

use super::super::codes::NEVER_HIDDEN;
use super::super::condition::AlertKey;
use super::super::delivery::later;
use super::super::fact::What;
use super::super::record::{Alert, Hidden};
use super::core::{Due, Router};
use super::out::Out;
use crate::domain::time::WallMs;

impl Router {
    /// What hides an alert now.
    pub(super) fn hidden_by(&self, alert: &Alert, now: WallMs) -> Option<Hidden> {
        if alert.key.code() == NEVER_HIDDEN {
            return None;
        }
        if let Some(cause) = alert.cause.as_ref().filter(|cause| **cause != alert.key)
            && self.open.contains_key(cause)
        {
            return Some(Hidden::Root(cause.clone()));
        }
        let silence = self.silences.values().find(|silence| silence.covers(&alert.key, now))?;
        Some(Hidden::Silence(silence.id.clone()))
    }

    /// Alerts that follow from a root.
    pub(super) fn consequences(&self, root: &AlertKey) -> Vec<AlertKey> {
        self.following.get(root).into_iter().flatten().cloned().collect()
    }

    /// Takes note of what an alert follows from now; `before` is what it followed from.
    pub(super) fn follow(&mut self, key: &AlertKey, before: Option<&AlertKey>, now: Option<&AlertKey>) {
        if let Some(root) = before
            && let Some(all) = self.following.get_mut(root)
        {
            all.remove(key);
            if all.is_empty() {
                self.following.remove(root);
            }
        }
        if let Some(root) = now.filter(|root| *root != key) {
            self.following.entry(root.clone()).or_default().insert(key.clone());
        }
    }

    /// A root is over: what follows from it should soon be over too, and is told if it is not.
    pub(super) fn root_is_over(&mut self, root: &AlertKey, out: &mut Out) {
        let by = Hidden::Root(root.clone());
        let is_hidden =
            |key: &AlertKey| self.open.get(key).is_some_and(|alert| alert.hidden.as_ref() == Some(&by));
        let hidden: Vec<AlertKey> =
            self.consequences(root).into_iter().filter(|key| is_hidden(key)).collect();
        let due = later(out.now, self.settings.outlive_ms);
        self.agenda.extend(hidden.into_iter().map(|key| (due, Due::Outlived(key))));
    }

    /// Tells of an alert that was hidden, unless something hides it still.
    pub(super) fn show_if_free(&mut self, key: &AlertKey, out: &mut Out) {
        let Some(mut alert) = self.open.get(key).filter(|alert| alert.hidden.is_some()).cloned() else {
            return;
        };
        match self.hidden_by(&alert, out.now) {
            Some(hidden) if alert.hidden.as_ref() == Some(&hidden) => return,
            Some(hidden) => {
                let words = hidden.words();
                alert.hidden = Some(hidden);
                alert.note(out.now, "hidden", words);
                out.fact(What::Updated, None, &alert, Vec::new());
            }
            None => {
                alert.hidden = None;
                alert.note(out.now, "shown", "what hid it is gone, and it still stands");
                let deliveries = self.begin_telling(&mut alert, out);
                out.fact(What::Shown, None, &alert, deliveries);
            }
        }
        self.open.insert(key.clone(), alert);
    }

    pub(super) fn silence_is_over(&mut self, id: &str, out: &mut Out) {
        let Some(silence) = self.silences.get_mut(id).filter(|silence| silence.until <= out.now) else {
            return;
        };
        silence.ended_at = Some(out.now);
        self.end_silence(id, None, out);
    }

    /// Takes a silence that has ended away, and tells what it hid.
    pub(super) fn end_silence(&mut self, id: &str, by: Option<&str>, out: &mut Out) {
        let Some(silence) = self.silences.remove(id) else { return };
        out.silence(What::SilenceEnded, by, &silence);
        let hidden = Hidden::Silence(id.to_owned());
        let keys: Vec<AlertKey> = self
            .open
            .values()
            .filter(|alert| alert.hidden.as_ref() == Some(&hidden))
            .map(|alert| alert.key.clone())
            .collect();
        for key in keys {
            self.show_if_free(&key, out);
        }
    }

    /// A silence begins: what it covers is not told any further.
    pub(super) fn hide_what_is_covered(&mut self, id: &str, out: &mut Out) {
        let Some(silence) = self.silences.get(id).cloned() else { return };
        let covered: Vec<AlertKey> = self
            .open
            .values()
            .filter(|alert| alert.hidden.is_none() && silence.covers(&alert.key, out.now))
            .map(|alert| alert.key.clone())
            .collect();
        for key in covered {
            if let Some(alert) = self.open.get_mut(&key) {
                alert.hidden = Some(Hidden::Silence(id.to_owned()));
                alert.note(out.now, "hidden", format!("silence {id}"));
                // Whoever was told before hears the end of it; nobody else is told.
                if let Some(escalation) = &mut alert.escalation {
                    escalation.next_at = None;
                }
                let alert = alert.clone();
                out.fact(What::Updated, None, &alert, Vec::new());
            }
        }
    }

    /// Since when a silence or root hides alerts, and until when: for the deadlines of a restart.
    pub(super) fn schedule_silence(&mut self, id: &str, until: WallMs) {
        self.agenda.insert((until, Due::Silence(id.to_owned())));
    }
}
