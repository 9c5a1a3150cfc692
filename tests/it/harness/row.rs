//! One row of a table of attacks, and what holds for every row whatever it attacks.

use std::time::Duration;

use serde_json::Value;

use crate::harness::ISSUER;
use crate::harness::caller::Draft;
use crate::harness::http::{Reply, exchange, form, post};
use crate::harness::logs;
use crate::harness::mark::most;
use crate::harness::server::TestServer;

/// No refusal takes longer. A row that does is asked again, so that a busy machine fails no test.
const REFUSAL_MAX: Duration = Duration::from_millis(250);
const ATTEMPTS: usize = 3;

/// An attack and what must come of it.
pub(crate) struct Row {
    /// The number of the attack in the list.
    pub(crate) id: &'static str,
    pub(crate) what: String,
    pub(crate) request: Vec<u8>,
    pub(crate) expect: Expect,
    /// A good assertion with the `jti` of the attack, which must still work after the refusal.
    again: Option<String>,
    /// What no answer may repeat.
    hostile: Vec<String>,
    /// The check that a certificate must have failed, if it is refused.
    check: Option<&'static str>,
}

/// What must come of an attack.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expect {
    /// A token: the row is a control, or something that is harmless here.
    Token,
    /// An answer in the form of RFC 6749 section 5.2. The code is empty where there is none.
    Refused { status: u16, error: &'static str, code: &'static str },
    /// No HTTP that is understood: an answer with one of these statuses, then the end of the connection.
    HungUp(&'static [u16]),
}

pub(crate) const TOKEN: Expect = Expect::Token;

pub(crate) const fn refused(status: u16, error: &'static str, code: &'static str) -> Expect {
    Expect::Refused { status, error, code }
}

pub(crate) const fn invalid_request(code: &'static str) -> Expect {
    refused(400, "invalid_request", code)
}

pub(crate) const fn invalid_grant(code: &'static str) -> Expect {
    refused(400, "invalid_grant", code)
}

pub(crate) const fn invalid_scope(code: &'static str) -> Expect {
    refused(400, "invalid_scope", code)
}

/// A row that sends these bytes.
pub(crate) fn raw(
    id: &'static str,
    what: impl Into<String>,
    request: Vec<u8>,
    expect: Expect,
) -> Row {
    Row { id, what: what.into(), request, expect, again: None, hostile: Vec::new(), check: None }
}

/// A row that posts this assertion in a good form.
pub(crate) fn text(
    id: &'static str,
    what: impl Into<String>,
    assertion: &str,
    expect: Expect,
) -> Row {
    raw(id, what, post(&form(assertion)), expect)
}

/// A row that posts a spoilt draft.
pub(crate) fn draft(
    id: &'static str,
    what: impl Into<String>,
    draft: &Draft,
    expect: Expect,
) -> Row {
    text(id, what, &draft.sign(), expect).with_jti_of(draft)
}

impl Row {
    /// The attack carries the `jti` of this draft, which a refusal must not spend.
    pub(crate) fn with_jti_of(mut self, draft: &Draft) -> Self {
        self.again = Some(draft.again());
        self.hostile.extend(draft.hostile.iter().cloned());
        self
    }

    /// The answer must not repeat this.
    pub(crate) fn hiding(mut self, text: impl Into<String>) -> Self {
        self.hostile.push(text.into());
        self
    }

    /// If it is for its certificate that the assertion is refused, then for this check.
    pub(crate) fn failing(mut self, check: &'static str) -> Self {
        self.check = Some(check);
        self
    }

    /// Makes the attack and says what is wrong with the outcome.
    async fn run(&self, server: &TestServer) -> Result<(), String> {
        let mut slow = Duration::ZERO;
        for _ in 0..ATTEMPTS {
            let Some(reply) = exchange(server.address, &self.request).await else {
                return match self.expect {
                    Expect::HungUp(_) => Ok(()),
                    _ => Err("no answer".to_owned()),
                };
            };
            self.check(&reply)?;
            if matches!(self.expect, Expect::Token) {
                return Ok(());
            }
            slow = reply.took;
            if slow <= most(REFUSAL_MAX) {
                return self.check_unspent(server).await;
            }
        }
        Err(format!("the refusal took {slow:?}"))
    }

    async fn check_unspent(&self, server: &TestServer) -> Result<(), String> {
        let Some(again) = &self.again else { return Ok(()) };
        let reply = server.ask(again).await;
        let message = || format!("the jti has been spent: {}", reply.text());
        reply.token().map(|_| ()).ok_or_else(message)
    }

    fn check(&self, reply: &Reply) -> Result<(), String> {
        let wrong = |what: &str| Err(format!("{what}: {}", reply.text()));
        match self.expect {
            Expect::Token if reply.status == 200 && reply.token().is_some() => Ok(()),
            Expect::Token => wrong("no token"),
            Expect::HungUp(statuses) if !statuses.contains(&reply.status) => wrong("status"),
            Expect::HungUp(_) if reply.text().contains("access_token") => wrong("a token"),
            Expect::HungUp(_) => Ok(()),
            Expect::Refused { status, error, code } => {
                check_refusal(reply, status, error, code)?;
                let check = self.check.map(|check| format!("Failed check: {check}. "));
                if let Some(check) =
                    check.filter(|check| code == "MP-120" && !reply.text().contains(check))
                {
                    return wrong(&format!("expected {check}"));
                }
                let repeated = self.hostile.iter().find(|text| reply.text().contains(*text));
                match repeated {
                    Some(text) => wrong(&format!("it repeats {text:?}")),
                    None => Ok(()),
                }
            }
        }
    }
}

/// What holds for every refusal of the token endpoint.
pub(crate) fn check_refusal(
    reply: &Reply,
    status: u16,
    error: &str,
    code: &str,
) -> Result<(), String> {
    let wrong = |what: &str| Err(format!("{what}: {}", reply.text()));
    let header = |name| reply.header(name).unwrap_or("");
    if reply.status != status {
        return wrong(&format!("expected status {status}"));
    }
    if header("content-type") != "application/json" || header("cache-control") != "no-store" {
        return wrong("the headers of an error");
    }
    if status == 503 && header("retry-after").is_empty() {
        return wrong("no Retry-After");
    }
    let Value::Object(members) = reply.json() else { return wrong("no JSON object") };
    let known = ["error", "error_description", "error_uri"];
    if !members.keys().all(|name| known.contains(&name.as_str())) {
        return wrong("a member too many");
    }
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    if text("error") != Some(error) {
        return wrong(&format!("expected {error}"));
    }
    let expected = (!code.is_empty()).then(|| format!("{ISSUER}errors/{code}"));
    if text("error_uri") != expected.as_deref() {
        return wrong(&format!("expected the code {code:?}"));
    }
    let Some(description) = text("error_description") else { return wrong("no description") };
    if !description.bytes().all(|b| matches!(b, b' '..=b'!' | b'#'..=b'[' | b']'..=b'~')) {
        return wrong("characters of the description");
    }
    let Some(trace_id) = trace_id(description) else { return wrong("no trace id at the end") };
    if reply.header("trace-id") != Some(trace_id) {
        return wrong("two trace ids");
    }
    // Whatever the token endpoint refuses is in the log, under the same id.
    let reached = ![404, 405].contains(&status);
    if reached && logs::lines_with(trace_id).is_empty() {
        return wrong("not in the log");
    }
    Ok(())
}

/// The 32 hexadecimal digits at the end of a description.
fn trace_id(description: &str) -> Option<&str> {
    let (_, rest) = description.rsplit_once(" (trace_id: ")?;
    let id = rest.strip_suffix(')')?;
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    (id.len() == 32 && id.bytes().all(hex)).then_some(id)
}

/// Runs a table and fails with every row that came out wrong.
pub(crate) async fn run(server: &TestServer, rows: Vec<Row>) {
    let mut failures = Vec::new();
    for row in &rows {
        if let Err(problem) = row.run(server).await {
            failures.push(format!("{} {}: {problem}", row.id, row.what));
        }
    }
    let count = (failures.len(), rows.len());
    assert!(failures.is_empty(), "{count:?} rows are wrong:\n\n{}", failures.join("\n\n"));
    logs::assert_clean();
}
