//! How many tokens were issued with a scope: per day, and per consumer.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use askama::filters::Safe;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::app::App;
use crate::clock::{DAY_SECONDS, Timestamp};
use crate::domain::usage::{Day, ScopeUsage, USAGE_DAYS_MAX};
use crate::http::portal::chart::{self, Bar};
use crate::http::portal::csv;
use crate::http::portal::page::{Page, SignedIn, show};
use crate::http::portal::provider::accesses::file;
use crate::http::portal::provider::scope::{Head, Loaded, Tab, load};
use crate::http::portal::query::Query;
use crate::http::portal::refused::Refused;
use crate::http::portal::visible::visible;

/// The periods that can be chosen, in days.
const PERIODS: [u32; 4] = [7, 30, 90, 365];

/// Organizations that have a bar of their own; the table has all.
const BARS_MAX: usize = 10;

/// The usual period.
const DAYS: u32 = 30;

#[derive(Template)]
#[template(path = "provider/usage.html", config = ".askama.toml")]
struct UsagePage {
    page: Page,
    head: Head,
    days: u32,
    usage: ScopeUsage,
    /// Each day of the period, whether anything was issued or not.
    by_day: Vec<(Timestamp, u64)>,
}

impl UsagePage {
    fn periods(&self) -> [u32; 4] {
        PERIODS
    }

    fn name(&self, name: Option<&String>) -> String {
        visible(name.map(String::as_str).unwrap_or_default())
    }

    /// The organizations with the most tokens, and all others together.
    fn consumers_chart(&self) -> Safe<String> {
        let page = &self.page;
        let (shown, rest) = self.usage.consumers.split_at(self.usage.consumers.len().min(BARS_MAX));
        let mut bars: Vec<Bar> = shown
            .iter()
            .map(|it| {
                let name = self.name(it.name.as_ref());
                let label = if name.is_empty() { it.consumer.to_string() } else { name };
                Bar { label, value: it.tokens }
            })
            .collect();
        let rest = rest.iter().map(|it| it.tokens).sum::<u64>() + self.usage.others;
        if rest > 0 {
            bars.push(Bar { label: page.say("provider-others"), value: rest });
        }
        chart::lying_bars(&bars, |number| page.number(&number))
    }

    fn chart(&self) -> Safe<String> {
        let page = &self.page;
        let bar = |(at, value): &(Timestamp, u64)| Bar { label: page.day(at), value: *value };
        let bars: Vec<Bar> = self.by_day.iter().map(bar).collect();
        let most = self.by_day.iter().map(|(_, tokens)| *tokens).max().unwrap_or_default();
        let (tokens, most) = (page.number(&self.usage.tokens), page.number(&most));
        let description = page.fill2("provider-usage-chart", ("tokens", &tokens), ("most", &most));
        let title = page.say("provider-usage-by-day");
        chart::bars("days", (&title, &description), &bars, |number| page.number(&number))
    }
}

async fn look(it: &Loaded, app: &App, query: &Query) -> Result<(u32, ScopeUsage), Refused> {
    let asked: Option<u32> = query.read("days");
    let days = asked.filter(|days| (1..=USAGE_DAYS_MAX).contains(days)).unwrap_or(DAYS);
    Ok((days, app.registry.usage_of_scope(&it.actor, &it.head.name, days).await?))
}

/// Every day of the period with its tokens.
fn by_day(usage: &ScopeUsage) -> Vec<(Day, u64)> {
    let known: BTreeMap<i64, u64> =
        usage.days.iter().map(|it| (it.day.number(), it.tokens)).collect();
    let days = usage.period.first.number()..=usage.period.last.number();
    days.map(|day| (Day::from_number(day), known.get(&day).copied().unwrap_or_default())).collect()
}

/// Noon of a day, which is the same day in Norway.
fn noon(day: Day) -> Timestamp {
    Timestamp::from_seconds(day.number().saturating_mul(DAY_SECONDS) + 12 * 60 * 60)
}

/// `GET /portal/scopes/{scope}/usage?days=`
pub(super) async fn usage(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    query: Query,
) -> Result<Response, Refused> {
    let it = load(signed_in, &app, &name, Tab::Usage).await?;
    let (days, usage) = look(&it, &app, &query).await?;
    let by_day = by_day(&usage).into_iter().map(|(day, tokens)| (noon(day), tokens)).collect();
    Ok(show(&UsagePage { page: it.page, head: it.head, days, usage, by_day }))
}

/// `GET /portal/scopes/{scope}/usage/export?days=&by=day|consumer`
pub(super) async fn export(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    query: Query,
) -> Result<Response, Refused> {
    let it = load(signed_in, &app, &name, Tab::Usage).await?;
    let (_, usage) = look(&it, &app, &query).await?;
    if query.0.text("by") == "day" {
        let mut text = csv::line(["day", "tokens"].map(str::to_owned));
        for (day, tokens) in by_day(&usage) {
            text.push_str(&csv::line([day.to_string(), tokens.to_string()]));
        }
        return Ok(file("usage-by-day.csv", text));
    }
    let mut text = csv::line(["number", "name", "tokens"].map(str::to_owned));
    for it in usage.consumers {
        let name = it.name.unwrap_or_default();
        text.push_str(&csv::line([it.consumer.to_string(), name, it.tokens.to_string()]));
    }
    if usage.others > 0 {
        text.push_str(&csv::line([String::new(), String::new(), usage.others.to_string()]));
    }
    Ok(file("usage-by-consumer.csv", text))
}
