//! From conditions to alerts: raise after so many samples, clear after a quiet period, longer when it flaps.

use super::super::condition::{AlertKey, Held};
use super::super::delivery::later;
use super::super::fact::What;
use super::super::notice::ClearedBy;
use super::super::record::Alert;
use super::core::{Due, FLAPS_MAX, Router, Watch};
use super::out::Out;
use crate::domain::time::WallMs;

/// Samples that are looked at, at most.
const SAMPLES_MAX: u32 = 64;
/// Flaps of one key that are remembered.
const FLAPS_OF_KEY_MAX: usize = 32;

impl Router {
    pub(super) fn observed(
        &mut self,
        mut blips: Vec<Held>,
        mut holding: Vec<Held>,
        ended: Vec<AlertKey>,
        out: &mut Out,
    ) {
        // Roots first, so that their consequences find them.
        blips.sort_by_key(|held| held.condition.cause.is_some());
        holding.sort_by_key(|held| held.condition.cause.is_some());
        for held in blips {
            let key = held.condition.key();
            self.holds(held, out);
            self.ends(&key, out);
        }
        for held in holding {
            self.holds(held, out);
        }
        for key in ended {
            self.ends(&key, out);
        }
    }

    fn holds(&mut self, held: Held, out: &mut Out) {
        let key = held.condition.key();
        self.unconfirmed.remove(&key);
        if self.open.contains_key(&key) {
            return self.still_holds(&key, held, out);
        }
        let rule = self.settings.rule(held.condition.code);
        let since = held.condition.since.unwrap_or(held.at);
        if rule.raise_after <= 1 {
            self.watched.remove(&key);
            return self.raise(&held, since, out);
        }
        match self.watched.get_mut(&key) {
            Some(watch) => {
                watch.condition = held.condition;
                watch.holds = true;
            }
            None => {
                let watch = Watch { condition: held.condition, since, holds: true, samples: 0 };
                self.watched.insert(key.clone(), watch);
                self.sample(&key, out);
            }
        }
    }

    /// Takes one sample of a condition that is not an alert yet.
    pub(super) fn sample(&mut self, key: &AlertKey, out: &mut Out) {
        let Some(watch) = self.watched.get_mut(key) else { return };
        let rule = self.settings.rule(key.code());
        watch.samples = (watch.samples << 1) | u64::from(watch.holds);
        let of = rule.of.clamp(rule.raise_after, SAMPLES_MAX);
        let mask = u64::MAX >> 64_u32.saturating_sub(of).min(63);
        watch.samples &= mask;
        if watch.samples == 0 {
            self.watched.remove(key);
        } else if watch.samples.count_ones() >= rule.raise_after {
            let Some(watch) = self.watched.remove(key) else { return };
            let held = Held { condition: watch.condition, at: watch.since };
            self.raise(&held, watch.since, out);
            if !watch.holds {
                self.ends(key, out);
            }
        } else {
            self.agenda.insert((later(out.now, self.settings.sample_ms), Due::Sample(key.clone())));
        }
    }

    fn still_holds(&mut self, key: &AlertKey, held: Held, out: &mut Out) {
        if self.quiet.remove(key).is_some() {
            self.note_flap(key, out.now);
            if let Some(alert) = self.open.get_mut(key) {
                alert.flaps = alert.flaps.saturating_add(1);
                alert.note(out.now, "returned", "its condition holds again before it was cleared");
                out.touch(alert);
            }
        }
        let condition = held.condition;
        let Some(alert) = self.open.get_mut(key) else { return };
        let severity = condition.severity();
        // What the wording says of ages changes with every look; that alone is no transition.
        if (alert.severity, &alert.cause, &alert.contained)
            == (severity, &condition.cause, &condition.contained)
        {
            return;
        }
        if alert.severity != severity {
            *self.counts.of(alert.severity) = self.counts.of(alert.severity).saturating_sub(1);
            *self.counts.of(severity) = self.counts.of(severity).saturating_add(1);
            alert.note(out.now, "severity", format!("{} to {severity}", alert.severity));
        }
        if alert.contained != condition.contained {
            alert.note(out.now, "contained", condition.contained.clone().unwrap_or_default());
        }
        let before = std::mem::replace(&mut alert.cause, condition.cause);
        (alert.severity, alert.contained, alert.reason) = (severity, condition.contained, condition.reason);
        let alert = alert.clone();
        self.follow(key, before.as_ref(), alert.cause.as_ref());
        out.fact(What::Updated, None, &alert, Vec::new());
    }

    fn raise(&mut self, held: &Held, since: WallMs, out: &mut Out) {
        let condition = &held.condition;
        self.last_number = self.last_number.saturating_add(1);
        let mut alert = Alert::raised(self.last_number, &self.tag, condition, since, out.now);
        let key = alert.key.clone();
        self.note_flap(&key, out.now);
        if let Some(root) = alert.cause.as_ref().and_then(|cause| self.open.get(cause)) {
            alert.incident.clone_from(&root.incident);
        }
        alert.next_seq();
        alert.note(out.now, "raised", alert.reason.clone());
        *self.counts.of(alert.severity) = self.counts.of(alert.severity).saturating_add(1);
        self.keys.insert(alert.number, key.clone());
        alert.hidden = self.hidden_by(&alert, out.now);
        let deliveries = match &alert.hidden {
            Some(hidden) => {
                let words = hidden.words();
                alert.note(out.now, "hidden", words);
                Vec::new()
            }
            None => self.begin_telling(&mut alert, out),
        };
        out.fact(What::Raised, None, &alert, deliveries);
        self.follow(&key, None, alert.cause.as_ref());
        self.open.insert(key, Box::new(alert));
    }

    fn ends(&mut self, key: &AlertKey, out: &mut Out) {
        if let Some(watch) = self.watched.get_mut(key) {
            watch.holds = false;
        }
        self.unconfirmed.remove(key);
        if !self.open.contains_key(key) || self.quiet.contains_key(key) {
            return;
        }
        let quiet_ms = self.quiet_ms(key, out.now);
        if quiet_ms == 0 {
            return self.clear(key, ClearedBy::Itself, "", out);
        }
        let due = later(out.now, quiet_ms);
        self.quiet.insert(key.clone(), due);
        self.agenda.insert((due, Due::Quiet(key.clone())));
        if let Some(alert) = self.open.get_mut(key) {
            let seconds = quiet_ms / 1_000;
            alert.note(
                out.now,
                "quiet",
                format!("its condition is gone; cleared after {seconds} s without it"),
            );
            out.touch(alert);
        }
    }

    pub(super) fn quiet_is_over(&mut self, key: &AlertKey, out: &mut Out) {
        if self.quiet.get(key).is_some_and(|due| *due <= out.now) {
            self.quiet.remove(key);
            self.clear(key, ClearedBy::Itself, "", out);
        }
    }

    pub(super) fn grace_is_over(&mut self, out: &mut Out) {
        let seconds = self.settings.grace_ms / 1_000;
        let why = format!("not asserted again within {seconds} s of the restart");
        for key in std::mem::take(&mut self.unconfirmed) {
            self.clear(&key, ClearedBy::Restart, &why, out);
        }
    }

    fn note_flap(&mut self, key: &AlertKey, now: WallMs) {
        if self.flaps.len() >= FLAPS_MAX && !self.flaps.contains_key(key) {
            let window = |key: &AlertKey| self.settings.rule(key.code()).flap_window_ms;
            let settings_window =
                |key: &AlertKey, last: Option<&WallMs>| last.is_some_and(|at| later(*at, window(key)) > now);
            let old: Vec<AlertKey> = self
                .flaps
                .iter()
                .filter(|(key, times)| !settings_window(key, times.back()))
                .map(|(key, _)| key.clone())
                .collect();
            for key in old {
                self.flaps.remove(&key);
            }
            if self.flaps.len() >= FLAPS_MAX {
                self.flaps.pop_first();
            }
        }
        let times = self.flaps.entry(key.clone()).or_default();
        if times.len() >= FLAPS_OF_KEY_MAX {
            times.pop_front();
        }
        times.push_back(now);
    }

    fn quiet_ms(&self, key: &AlertKey, now: WallMs) -> u64 {
        let rule = self.settings.rule(key.code());
        let recent = |at: &&WallMs| later(**at, rule.flap_window_ms) > now;
        let flaps = self.flaps.get(key).map_or(0, |times| times.iter().filter(recent).count());
        rule.quiet_after(u32::try_from(flaps).unwrap_or(u32::MAX))
    }
}
