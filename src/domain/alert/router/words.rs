//! What people ask for: to take an alert on, to silence some, to test a channel.

use super::super::codes::NEVER_HIDDEN;
use super::super::condition::{AlertKey, cut};
use super::super::delivery::{Delivery, later};
use super::super::fact::What;
use super::super::notice::Transition;
use super::super::record::Ack;
use super::super::silence::{PATTERN_CHARS_MAX, SILENCES_MAX, Silence};
use super::core::{Due, Router};
use super::event::{Answer, Ask, Refusal, ReplyTo};
use super::lane::Parcel;
use super::out::Out;

/// Longest reason that is kept, characters.
const REASON_CHARS_MAX: usize = 500;

impl Router {
    pub(super) fn asked(&mut self, reply: ReplyTo, ask: Ask, out: &mut Out) {
        let done = match ask {
            Ask::Ack { alert, by, reason, for_ms } => self.ack(&alert, &by, &reason, for_ms, out),
            Ask::Silence { code, scope, by, reason, for_ms } => {
                self.silence([&code, &scope], &by, &reason, for_ms, out)
            }
            Ask::Unsilence { id, by } => self.unsilence(&id, &by, out),
            Ask::Test { channel, by } => self.test(&channel, &by, out),
        };
        match done {
            Ok(answer) => out.answer(reply, answer),
            Err(refusal) => out.refuse(reply, refusal),
        }
    }

    /// The key of an alert that stands, by its key or its id.
    fn find(&self, name: &str) -> Option<AlertKey> {
        let by_key = || self.open.keys().find(|key| key.as_str() == name).cloned();
        let number = name.rsplit_once('-').and_then(|(_, digits)| digits.parse::<u64>().ok());
        let by_id = number.and_then(|number| self.keys.get(&number)).cloned();
        by_id.filter(|key| self.open.get(key).is_some_and(|alert| alert.id == name)).or_else(by_key)
    }

    fn ack(
        &mut self,
        name: &str,
        by: &str,
        reason: &str,
        for_ms: Option<u64>,
        out: &mut Out,
    ) -> Result<Answer, Refusal> {
        let none = || Refusal::NoAlert { alert: name.to_owned() };
        let key = self.find(name).ok_or_else(none)?;
        let alert = self.open.get_mut(&key).ok_or_else(none)?;
        let until = later(out.now, for_ms.unwrap_or(self.settings.ack_ms));
        let reason = cut(reason, REASON_CHARS_MAX);
        alert.note(out.now, "acknowledged", format!("by {by}: {reason}"));
        alert.ack = Some(Ack { by: by.to_owned(), reason, at: out.now, until });
        alert.first_acked_at.get_or_insert(out.now);
        if let Some(escalation) = &mut alert.escalation {
            escalation.next_at = None;
        }
        self.agenda.insert((until, Due::Ack(key)));
        let alert = alert.clone();
        out.fact(What::Acked, Some(by), &alert, Vec::new());
        Ok(Answer::Alert(alert))
    }

    /// An acknowledgement has ended: the escalation goes on.
    pub(super) fn ack_is_over(&mut self, key: &AlertKey, out: &mut Out) {
        let Some(mut alert) = self.open.get(key).cloned() else { return };
        if alert.ack.as_ref().is_none_or(|ack| ack.until > out.now) {
            return;
        }
        alert.ack = None;
        alert.note(out.now, "unacknowledged", "the acknowledgement has ended, and it still stands");
        if let Some(escalation) = &mut alert.escalation
            && let Some(policy) = self.settings.policy_named(&escalation.policy)
        {
            escalation.resume(policy, out.now);
            self.agenda.insert((out.now, Due::Escalate(key.clone())));
        }
        out.fact(What::AckEnded, None, &alert, Vec::new());
        self.open.insert(key.clone(), alert);
        self.escalate(key, out);
    }

    fn silence(
        &mut self,
        [code, scope]: [&str; 2],
        by: &str,
        reason: &str,
        for_ms: u64,
        out: &mut Out,
    ) -> Result<Answer, Refusal> {
        if code == NEVER_HIDDEN {
            return Err(Refusal::NeverHidden { code: code.to_owned() });
        }
        if self.silences.len() >= SILENCES_MAX {
            return Err(Refusal::TooManySilences { max: SILENCES_MAX });
        }
        self.last_word = self.last_word.saturating_add(1);
        let id = format!("s-{}", self.last_word);
        let silence = Silence {
            id: id.clone(),
            code: cut(code, PATTERN_CHARS_MAX),
            scope: cut(scope, PATTERN_CHARS_MAX),
            reason: cut(reason, REASON_CHARS_MAX),
            by: by.to_owned(),
            at: out.now,
            until: later(out.now, for_ms),
            ended_at: None,
            ended_by: None,
        };
        self.schedule_silence(&id, silence.until);
        out.silence(What::Silenced, Some(by), &silence);
        self.silences.insert(id.clone(), silence.clone());
        self.hide_what_is_covered(&id, out);
        Ok(Answer::Silence(Box::new(silence)))
    }

    fn unsilence(&mut self, id: &str, by: &str, out: &mut Out) -> Result<Answer, Refusal> {
        let Some(silence) = self.silences.get_mut(id) else {
            return Err(Refusal::NoSilence { id: id.to_owned() });
        };
        (silence.ended_at, silence.ended_by) = (Some(out.now), Some(by.to_owned()));
        let ended = silence.clone();
        self.end_silence(id, Some(by), out);
        Ok(Answer::Silence(Box::new(ended)))
    }

    fn test(&mut self, channel: &str, by: &str, out: &mut Out) -> Result<Answer, Refusal> {
        let none = || Refusal::NoChannel { channel: channel.to_owned() };
        let canary = self.canary_to(channel, by, out).ok_or_else(none)?;
        Ok(Answer::Test(Box::new(canary)))
    }

    /// Has a channel tested; `None` when there is no such channel.
    pub(super) fn canary_to(&mut self, channel: &str, by: &str, out: &mut Out) -> Option<Delivery> {
        let lane = self.lanes.get_mut(channel)?;
        self.last_word = self.last_word.saturating_add(1);
        let id = format!("{}-canary-{}", self.tag, self.last_word);
        let canary = Delivery::new((0, &id), self.last_word, channel, Transition::Canary, out.now);
        lane.push(Parcel::single(canary.clone()));
        out.fact_of(What::Tested, Some(by), vec![canary.clone()]);
        Some(canary)
    }
}
