//! The channel `github`: an issue per alert, opened on raise, commented on later steps, closed when it is over.
//!
//! The service knows no idempotency key, so the channel reads before it writes: each issue and each comment carries a
//! mark (an HTML comment) with the alert's id and the message's key, and what is already there is not written again.
//! A crash between writing and recording therefore makes no second issue. Only issues with the channel's label count:
//! setting a label takes rights in the repository, so a stranger's issue with a copied mark is not taken for ours.
//! Text from outside stands in a code block, where it is no mention, no link and no markup.

use super::http::{Call, below, temporary, words};
use super::text::{clean, lines, subject};
use super::{Channel, ChannelKind, IdempotencyKey, Notice, SendError, Sent};
use crate::domain::alert::Transition;
use crate::domain::time::WallMs;
use crate::net::{Answer, Outbound};
use futures_util::future::BoxFuture;
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Method, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Entries per page, and most pages that are read.
const PAGE: usize = 50;
const PAGES_MAX: usize = 10;
/// Longest title, characters (the service allows 256).
const TITLE_MAX: usize = 200;
/// An issue of ours is not older than its alert; clocks may differ by this much, milliseconds.
const SKEW_MS: i64 = 3_600_000;

/// See the module's head.
pub(super) struct GithubChannel {
    pub(super) name: String,
    pub(super) outbound: Outbound,
    pub(super) url: Url,
    pub(super) owner: String,
    pub(super) repository: String,
    pub(super) authorization: HeaderValue,
    pub(super) label: String,
    /// One message at a time: a raise and its clear must not both find no issue.
    pub(super) turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Clone, Deserialize)]
struct Issue {
    number: u64,
    state: String,
    #[serde(default)]
    body: Option<String>,
}

#[derive(Deserialize)]
struct Comment {
    #[serde(default)]
    body: Option<String>,
}

impl GithubChannel {
    async fn tell(&self, notice: &Notice, key: &IdempotencyKey) -> Result<Sent, SendError> {
        let _turn = self.turn.lock().await;
        let (mark, said) = (alert_mark(notice), key_mark(key));
        let issue = match self.find(notice, &mark).await? {
            Some(issue) => {
                let is_told = issue.body.as_deref().is_some_and(|body| body.contains(&said))
                    || self.is_commented(issue.number, &said).await?;
                if !is_told {
                    self.write(
                        Method::POST,
                        &self.comments(issue.number),
                        &json!({ "body": text(notice, &said) }),
                    )
                    .await?;
                }
                issue
            }
            None => self.open(notice, &mark, &said).await?,
        };
        let ends = notice.transition.is_over() || notice.transition == Transition::Canary;
        if ends && issue.state != "closed" {
            let number = issue.number.to_string();
            let closed = json!({ "state": "closed", "state_reason": "completed" });
            self.write(Method::PATCH, &["issues", &number], &closed).await?;
        }
        Ok(Sent::Delivered)
    }

    async fn open(&self, notice: &Notice, mark: &str, said: &str) -> Result<Issue, SendError> {
        let body = format!("{mark}\n{}", text(notice, said));
        let issue = json!({ "title": title(notice), "body": body, "labels": [self.label] });
        read(&self.write(Method::POST, &["issues"], &issue).await?)
    }

    async fn find(&self, notice: &Notice, mark: &str) -> Result<Option<Issue>, SendError> {
        let since = WallMs(notice.raised_at.0.saturating_sub(SKEW_MS)).rfc3339().unwrap_or_default();
        let query = [
            ("labels", self.label.as_str()),
            ("state", "all"),
            ("sort", "created"),
            ("since", since.as_str()),
        ];
        let found = self.pages::<Issue>(&["issues"], &query, |issue| {
            issue.body.as_deref().is_some_and(|body| body.contains(mark))
        });
        found.await
    }

    async fn is_commented(&self, number: u64, said: &str) -> Result<bool, SendError> {
        let path = self.comments(number);
        let path = path.each_ref().map(String::as_str);
        let fits = |comment: &Comment| comment.body.as_deref().is_some_and(|body| body.contains(said));
        Ok(self.pages(&path, &[], fits).await?.is_some())
    }

    /// Reads a list until something fits. A list that goes on after the last page that is read holds more than this
    /// channel can have written about one alert.
    async fn pages<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        fits: impl Fn(&T) -> bool,
    ) -> Result<Option<T>, SendError> {
        for page in 1..=PAGES_MAX {
            let mut url = self.at(path)?;
            url.query_pairs_mut()
                .extend_pairs(query)
                .append_pair("per_page", &PAGE.to_string())
                .append_pair("page", &page.to_string());
            let list: Vec<T> = read(&exchange(self.call(Method::GET, url)).await?)?;
            let is_last = list.len() < PAGE;
            let found = list.into_iter().find(&fits);
            if found.is_some() || is_last {
                return Ok(found);
            }
        }
        Ok(None)
    }

    async fn write<P: AsRef<str>>(
        &self,
        method: Method,
        path: &[P],
        body: &Value,
    ) -> Result<Answer, SendError> {
        let path: Vec<&str> = path.iter().map(AsRef::as_ref).collect();
        exchange(self.call(method, self.at(&path)?).json(body)?).await
    }

    fn call(&self, method: Method, url: Url) -> Call<'_> {
        let (accept, version) =
            (HeaderName::from_static("accept"), HeaderName::from_static("x-github-api-version"));
        Call::new(&self.outbound, method, url)
            .authorization(Some(&self.authorization))
            .header(accept, HeaderValue::from_static("application/vnd.github+json"))
            .header(version, HeaderValue::from_static("2022-11-28"))
    }

    fn at(&self, path: &[&str]) -> Result<Url, SendError> {
        let mut whole = vec!["repos", &self.owner, &self.repository];
        whole.extend_from_slice(path);
        below(&self.url, &whole)
    }

    fn comments(&self, number: u64) -> [String; 3] {
        ["issues".to_owned(), number.to_string(), "comments".to_owned()]
    }
}

/// The service limits its users with 403 as well, and says so only in words.
async fn exchange(call: Call<'_>) -> Result<Answer, SendError> {
    call.send().await.map_err(|error| match error {
        SendError::Permanent { reason } if reason.contains("rate limit") => temporary(reason),
        other => other,
    })
}

fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, SendError> {
    serde_json::from_slice(&answer.body)
        .map_err(|error| temporary(format!("not the service's word ({error}): {}", words(&answer.body))))
}

/// The alert's id as a mark; made of key characters only, so nothing can end the comment early.
fn alert_mark(notice: &Notice) -> String {
    format!("<!-- plimsoll alert {} -->", IdempotencyKey::new(&notice.alert_id, 0, "github"))
}

fn key_mark(key: &IdempotencyKey) -> String {
    // Hashed unless it is as we make them.
    let safe = key.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    let key = if safe { key.clone() } else { IdempotencyKey::new(key.as_str(), 0, "github") };
    format!("<!-- plimsoll message {key} -->")
}

fn title(notice: &Notice) -> String {
    clean(&subject(notice), TITLE_MAX).replace('@', "@\u{2060}")
}

fn text(notice: &Notice, said: &str) -> String {
    let facts = lines(notice);
    // A fence must be longer than any run of backticks within it.
    let longest = facts.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.saturating_add(1).max(3));
    format!("{said}\n{fence}text\n{facts}{fence}\n")
}

impl Channel for GithubChannel {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> ChannelKind {
        ChannelKind::Github
    }

    fn send<'a>(
        &'a self,
        notice: &'a Notice,
        key: &'a IdempotencyKey,
    ) -> BoxFuture<'a, Result<Sent, SendError>> {
        Box::pin(self.tell(notice, key))
    }
}

#[cfg(test)]
mod tests {
    use super::super::text::samples::{hostile, key, raise};
    use super::*;

    #[test]
    fn hostile_text_cannot_leave_its_block() {
        let body = text(&hostile(), &key_mark(&key()));
        let fence = body.lines().nth(1).unwrap().trim_end_matches("text");
        assert_eq!(fence, "````", "longer than the longest run inside");
        assert_eq!(body.matches(fence).count(), 2, "{body}");
        assert!(body.trim_end().ends_with(fence));
        assert!(!title(&hostile()).contains("@everyone"));
        assert!(body.len() < 65_536, "the service's limit");
    }

    #[test]
    fn marks_hold_key_characters_only() {
        let evil = Notice { alert_id: "x --> <script>".into(), ..raise() };
        assert_eq!(alert_mark(&evil).matches("-->").count(), 1);
        assert_eq!(key_mark(&IdempotencyKey::stored("--> x".into())).matches("-->").count(), 1);
    }
}
