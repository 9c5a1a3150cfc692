//! The one client of the admin API: addresses, versions, pages, errors.
//!
//! A change first reads the thing and then says which version it has seen, so that it is never made over
//! another. What makes a thing carries a fresh Idempotency-Key, and is sent once more when the connection broke:
//! it is done once, whichever of the two arrived. What the server puts off is sent again when it says.

use std::time::Duration;

use reqwest::header::{ETAG, HeaderName, RETRY_AFTER};
use reqwest::{Client, Method, StatusCode, Url};
use serde_json::{Value, json};

use crate::cli::admin::connection::Tokens;
use crate::cli::admin::report::Listed;
use crate::cli::assertion::fresh_id;
use crate::cli::failure::{ExitStatus, Failure};
use crate::cli::server::{self, Answer, Web};
use crate::clock::{Clock as _, SystemClock};
use crate::domain::right::Right;

/// Where the API is, below the address of the admin listener.
const BASE: [&str; 3] = ["api", "portvakt", "v1"];

/// Things that are asked for at once: as many as the API gives.
const PAGE_ITEMS: usize = 500;

/// How often a request is put off before that is told, and how long a wait may be: a server that has so much to do
/// is better asked later.
const WAITS_MAX: usize = 10;
const WAIT_MAX: Duration = Duration::from_secs(10);

/// The header with the number of the last change that holds on the node that has answered.
const CHANGE_SEQ: HeaderName = HeaderName::from_static("portvakt-change-seq");

/// How long it may take until a change holds on every node, and between two looks. A node that has died is counted for
/// some 20 seconds.
const EVERYWHERE_TIME_MAX: Duration = Duration::from_secs(30);
const EVERYWHERE_PAUSE: Duration = Duration::from_millis(50);

/// The admin API.
pub(super) struct Api {
    client: Client,
    base: Url,
    tokens: Tokens,
    /// Whether a change is done only when it holds on every node.
    waits: bool,
}

/// An address in the API: the parts of its path as they are before they are encoded, and its parameters.
#[derive(Clone, Debug)]
pub(super) struct Place {
    path: Vec<String>,
    query: Vec<(&'static str, String)>,
}

/// A thing, and the version that was seen.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// The thing.
    pub(super) thing: Value,
    tag: Option<String>,
}

impl Place {
    /// The address with these parts.
    pub(super) fn of<const N: usize>(path: [&str; N]) -> Self {
        Self { path: path.map(str::to_owned).to_vec(), query: Vec::new() }
    }

    /// The same with a parameter, if it has a value.
    #[must_use]
    pub(super) fn with(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.query.extend(value.map(|value| (name, value.to_string())));
        self
    }

    /// The same with a parameter that is said only when it is true.
    #[must_use]
    pub(super) fn with_flag(self, name: &'static str, flag: bool) -> Self {
        self.with(name, flag.then_some(true))
    }

    fn without_parameters(&self) -> Self {
        Self { path: self.path.clone(), query: Vec::new() }
    }

    fn url(&self, base: &Url) -> Result<Url, Failure> {
        // Parts of these names would silently lead to another address.
        if let Some(part) = self.path.iter().find(|part| matches!(part.as_str(), "" | "." | "..")) {
            return Err(Failure::usage(format!("\"{part}\" is not the name of anything")));
        }
        let mut url = base.clone();
        let path = url.path_segments_mut();
        let mut path = path.map_err(|()| Failure::usage(format!("{base} is not an address")))?;
        path.pop_if_empty().extend(BASE).extend(&self.path);
        drop(path);
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        Ok(url)
    }
}

/// What is sent.
struct Request<'a> {
    method: Method,
    body: Option<&'a Value>,
    if_match: Option<&'a str>,
}

impl Request<'_> {
    fn new(method: Method) -> Self {
        Self { method, body: None, if_match: None }
    }
}

impl Api {
    /// The API at this address.
    pub(super) fn new(web: &Web, address: &str, tokens: Tokens) -> Result<Self, Failure> {
        let base = server::parse_url(address)?;
        Ok(Self { client: web.client(&base)?, base, tokens, waits: false })
    }

    /// The same, where a change is done only when it holds on every node, if `waits`.
    #[must_use]
    pub(super) fn waiting(self, waits: bool) -> Self {
        Self { waits, ..self }
    }

    /// From now on with these rights.
    pub(super) fn ask_for(&mut self, rights: Vec<Right>) {
        self.tokens.ask_for(rights);
    }

    /// Whether things of every organization may be there for the caller.
    pub(super) fn may_operate(&self) -> bool {
        self.tokens.may_operate()
    }

    /// A thing.
    pub(super) async fn read(&mut self, place: &Place) -> Result<Seen, Failure> {
        self.exchange(place, &Request::new(Method::GET)).await
    }

    /// A thing, if it is there.
    pub(super) async fn find(&mut self, place: &Place) -> Result<Option<Seen>, Failure> {
        match self.read(place).await {
            Err(failure) if failure.exit == ExitStatus::NotFound => Ok(None),
            found => found.map(Some),
        }
    }

    /// All things of a list, or the first `limit` of them.
    pub(super) async fn list(
        &mut self,
        place: &Place,
        limit: Option<usize>,
    ) -> Result<Listed, Failure> {
        let mut listed = Listed::default();
        let mut cursor = None;
        loop {
            let left = limit.map_or(PAGE_ITEMS, |limit| limit - listed.items.len());
            let (items, next) = self.page(place, left.min(PAGE_ITEMS), cursor).await?;
            listed.items.extend(items);
            listed.more = next.is_some();
            if next.is_none() || limit.is_some_and(|limit| listed.items.len() >= limit) {
                return Ok(listed);
            }
            cursor = next;
        }
    }

    /// Things of a list, up to the page with the first for which `is_last` holds.
    pub(super) async fn list_until(
        &mut self,
        place: &Place,
        is_last: impl Fn(&Value) -> bool,
    ) -> Result<Vec<Value>, Failure> {
        let mut all = Vec::new();
        let mut cursor = None;
        loop {
            let (items, next) = self.page(place, PAGE_ITEMS, cursor).await?;
            let done = next.is_none() || items.iter().any(&is_last);
            all.extend(items);
            if done {
                return Ok(all);
            }
            cursor = next;
        }
    }

    /// A page of a list, and where the next begins.
    async fn page(
        &mut self,
        place: &Place,
        limit: usize,
        cursor: Option<String>,
    ) -> Result<(Vec<Value>, Option<String>), Failure> {
        let page = place.clone().with("limit", Some(limit)).with("cursor", cursor);
        let mut page = self.read(&page).await?.thing;
        let next = page["next_cursor"].as_str().map(str::to_owned);
        match page["items"].take() {
            // A page may be short, but only the last one is empty: otherwise this would never end.
            Value::Array(items) if items.is_empty() => Ok((items, None)),
            Value::Array(items) => Ok((items, next)),
            _ => Err(no_list(place)),
        }
    }

    /// A list that comes whole.
    pub(super) async fn whole_list(&mut self, place: &Place) -> Result<Listed, Failure> {
        match self.read(place).await?.thing["items"].take() {
            Value::Array(items) => Ok(Listed { items, more: false }),
            _ => Err(no_list(place)),
        }
    }

    /// Makes a thing, or does what the place is named after.
    pub(super) async fn make(&mut self, place: &Place, body: &Value) -> Result<Value, Failure> {
        let request = Request { body: Some(body), ..Request::new(Method::POST) };
        Ok(self.exchange(place, &request).await?.thing)
    }

    /// Does to a thing what the place is named after, when that needs no saying more.
    pub(super) async fn act(&mut self, place: &Place) -> Result<Value, Failure> {
        Ok(self.exchange(place, &Request::new(Method::POST)).await?.thing)
    }

    /// Makes a thing at a place, or gives the one that is there these members.
    pub(super) async fn put(&mut self, place: &Place, body: &Value) -> Result<Value, Failure> {
        let seen = self.find(place).await?;
        let if_match = seen.as_ref().and_then(|seen| seen.tag.as_deref());
        let request = Request { method: Method::PUT, body: Some(body), if_match };
        Ok(self.exchange(place, &request).await?.thing)
    }

    /// Changes members of a thing.
    pub(super) async fn change(&mut self, place: &Place, edit: &Value) -> Result<Value, Failure> {
        let seen = self.read(place).await?;
        self.change_seen(place, &seen, edit).await
    }

    /// Changes members of a thing, unless somebody else has since it was seen.
    pub(super) async fn change_seen(
        &mut self,
        place: &Place,
        seen: &Seen,
        edit: &Value,
    ) -> Result<Value, Failure> {
        let if_match = seen.tag.as_deref();
        let request = Request { method: Method::PATCH, body: Some(edit), if_match };
        Ok(self.exchange(place, &request).await?.thing)
    }

    /// Deactivates or withdraws a thing.
    pub(super) async fn remove(&mut self, place: &Place) -> Result<Value, Failure> {
        let seen = self.read(&place.without_parameters()).await?;
        let if_match = seen.tag.as_deref();
        let request = Request { if_match, ..Request::new(Method::DELETE) };
        Ok(self.exchange(place, &request).await?.thing)
    }

    /// Withdraws a thing, whatever version it has.
    pub(super) async fn remove_whatever(&mut self, place: &Place) -> Result<Value, Failure> {
        let request = Request { if_match: Some("*"), ..Request::new(Method::DELETE) };
        Ok(self.exchange(place, &request).await?.thing)
    }

    /// Puts a name on a list, or takes it off; that is never lost under another change.
    pub(super) async fn switch(&mut self, place: &Place, on: bool) -> Result<Value, Failure> {
        let method = if on { Method::PUT } else { Method::DELETE };
        Ok(self.exchange(place, &Request::new(method)).await?.thing)
    }

    async fn exchange(&mut self, place: &Place, request: &Request<'_>) -> Result<Seen, Failure> {
        let url = place.url(&self.base)?;
        let key = if request.method == Method::POST { Some(fresh_id()?) } else { None };
        let mut waits = 0;
        let (answer, tag, seq) = loop {
            let Sent { answer, tag, seq, wait } =
                match self.send(&url, request, key.as_deref()).await {
                    // Reading twice does no harm, and the key lets the server tell that it has done this already.
                    Err(Unanswered { broken: true, .. })
                        if key.is_some() || request.method == Method::GET =>
                    {
                        self.send(&url, request, key.as_deref()).await?
                    }
                    sent => sent?,
                };
            let Some(wait) = wait.filter(|_| waits < WAITS_MAX) else { break (answer, tag, seq) };
            tokio::time::sleep(wait).await;
            waits += 1;
        };
        if !answer.status.is_success() {
            return Err(self.refusal(&url, &answer));
        }
        if let Some(seq) = seq.filter(|_| self.waits && request.method != Method::GET) {
            Box::pin(self.until_everywhere(&seq)).await?;
        }
        if answer.body.is_empty() {
            return Ok(Seen { thing: json!({}), tag });
        }
        let thing = serde_json::from_str(&answer.body);
        let thing = thing.map_err(|_| Failure::failed(format!("{url} does not answer in JSON")))?;
        Ok(Seen { thing, tag })
    }

    /// Waits until the change of that number holds on every node.
    async fn until_everywhere(&mut self, seq: &str) -> Result<(), Failure> {
        let place = Place::of(["effective", seq]);
        let end = SystemClock.uptime() + EVERYWHERE_TIME_MAX;
        loop {
            let reach = self.read(&place).await?.thing;
            if reach["effective"] == true {
                return Ok(());
            }
            if SystemClock.uptime() >= end {
                let seconds = EVERYWHERE_TIME_MAX.as_secs();
                let (behind, nodes) = (&reach["behind"], &reach["nodes"]);
                return Err(Failure::failed(format!(
                    "it is done, and after {seconds} s does not hold yet on {behind} of {nodes} nodes"
                )));
            }
            tokio::time::sleep(EVERYWHERE_PAUSE).await;
        }
    }

    async fn send(
        &mut self,
        url: &Url,
        request: &Request<'_>,
        key: Option<&str>,
    ) -> Result<Sent, Unanswered> {
        let token = self.tokens.token().await?;
        let mut sent = self.client.request(request.method.clone(), url.clone()).bearer_auth(token);
        sent = sent.header("accept", "application/json, application/problem+json");
        if let Some(body) = request.body {
            sent = sent.json(body);
        }
        if let Some(tag) = request.if_match {
            sent = sent.header("if-match", tag);
        }
        if let Some(key) = key {
            sent = sent.header("idempotency-key", key);
        }
        let response = sent.send().await.map_err(|error| Unanswered {
            broken: !error.is_connect() && !error.is_timeout(),
            failure: server::unreachable(url, error),
        })?;
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let tag = header(ETAG).map(str::to_owned);
        let seq = header(CHANGE_SEQ).map(str::to_owned);
        let wait =
            header(RETRY_AFTER).filter(|_| response.status() == StatusCode::TOO_MANY_REQUESTS);
        let wait = wait.and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
        let wait = wait.filter(|wait| *wait <= WAIT_MAX);
        let answer = server::read(url, response).await.map_err(|failure| Unanswered {
            broken: failure.exit == ExitStatus::Unreachable,
            failure,
        })?;
        Ok(Sent { answer, tag, seq, wait })
    }

    /// Why the server has not done it (RFC 9457), in words and as an exit code.
    fn refusal(&self, url: &Url, answer: &Answer) -> Failure {
        let problem: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let mut failure = server::unexpected(url, answer.status);
        let Some(detail) = problem["detail"].as_str() else { return failure };
        failure.message = describe(detail, &problem);
        let elsewhere = match problem["code"].as_str() {
            // The address itself is unknown: another version of the server, or no admin API at all.
            Some("no_such_address") => return failure,
            Some(code) => matches!(code, "not_found" | "not_yours"),
            None => false,
        };
        if elsewhere && !self.may_operate() {
            failure.message.push_str(
                "\nif it belongs to another organization, it is there only for the operator: --operator",
            );
        }
        failure.exit = match answer.status {
            StatusCode::UNAUTHORIZED => ExitStatus::NotAuthenticated,
            StatusCode::FORBIDDEN => ExitStatus::NotAllowed,
            StatusCode::NOT_FOUND => ExitStatus::NotFound,
            StatusCode::CONFLICT => ExitStatus::Conflict,
            StatusCode::PRECONDITION_FAILED | StatusCode::PRECONDITION_REQUIRED => {
                failure
                    .message
                    .push_str("\nsomebody else has changed it: look at it, and try again");
                ExitStatus::Conflict
            }
            _ => failure.exit,
        };
        failure
    }
}

/// An answer to what was sent.
struct Sent {
    answer: Answer,
    tag: Option<String>,
    /// The number of a change that it has made, or of a later one.
    seq: Option<String>,
    /// When to send it again: nothing was done, because too much is asked.
    wait: Option<Duration>,
}

/// Why there is no answer, and whether that is because a connection broke on which something was sent.
struct Unanswered {
    broken: bool,
    failure: Failure,
}

impl From<Failure> for Unanswered {
    fn from(failure: Failure) -> Self {
        Self { broken: false, failure }
    }
}

impl From<Unanswered> for Failure {
    fn from(unanswered: Unanswered) -> Self {
        unanswered.failure
    }
}

/// The problem with the members that are wrong, and what the operator finds the request by.
fn describe(detail: &str, problem: &Value) -> String {
    let mut text = detail.to_owned();
    for error in problem["errors"].as_array().into_iter().flatten() {
        let (Some(pointer), Some(about)) = (error["pointer"].as_str(), error["detail"].as_str())
        else {
            continue;
        };
        if about == detail && text == detail {
            text = if detail.contains(pointer) { text } else { format!("{pointer}: {detail}") };
        } else {
            text = format!("{text}\n{pointer}: {about}");
        }
    }
    match problem["trace_id"].as_str() {
        Some(trace_id) if !trace_id.is_empty() => format!("{text}\ntrace id {trace_id}"),
        _ => text,
    }
}

fn no_list(place: &Place) -> Failure {
    Failure::failed(format!("the server does not answer with a list at {}", place.path.join("/")))
}

#[cfg(test)]
mod tests;
