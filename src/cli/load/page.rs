//! The report of a load as an HTML page that needs nothing beside it.

use std::fmt::Write as _;

use crate::cli::load::chart::{Line, over_seconds};
use crate::cli::load::report::{Milliseconds, Report, SecondFigures, float};

const STYLE: &str = "\
:root { color-scheme: light dark; --line: #0062ba; --high: #b3253a; --grid: color-mix(in srgb, CanvasText 18%, Canvas) }
@media (prefers-color-scheme: dark) { :root { --line: #7cb7ff; --high: #ff8c9a } }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 48rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }
table { border-collapse: collapse } th { text-align: left; font-weight: 500; padding-right: 2rem }
td { text-align: right; font-variant-numeric: tabular-nums; padding-left: 1.5rem }
th, td { padding-block: .25rem; border-bottom: 1px solid var(--grid) }
svg { width: 100%; height: auto } svg text { font-size: 12px; fill: currentColor } .end { text-anchor: end }
.grid { stroke: var(--grid) } polyline { fill: none; stroke-width: 2; stroke: var(--line) }
.high { stroke: var(--high) } .failed { color: var(--high) }
";

/// The page.
pub(super) fn html(report: &Report) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>Load on {0}</title>\n<style>\n{STYLE}</style>\n\
         <h1>Load on {0}</h1>\n<p>{1}, from {2}.</p>\n<table>\n",
        escaped(&report.issuer),
        escaped(&report.load),
        report.began_at
    );
    let mut row = |name: &str, value: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(page, "<tr><th scope=\"row\">{name}<td>{value}");
    };
    row("Seconds", format!("{:.1}", report.seconds));
    row("Tokens", report.issued.to_string());
    row("Tokens a second", format!("{:.0}", report.tokens_per_second));
    row("Wrong signatures, refused", report.refused.to_string());
    for (what, count) in &report.failed {
        row(&format!("<span class=\"failed\">Failed: {}</span>", escaped(what)), count.to_string());
    }
    if let Some(cpu) = report.server_cpu {
        row("CPU of the server, seconds", format!("{:.2}", cpu.seconds));
        row("CPU of the server, &micro;s an answer", format!("{:.0}", cpu.micros_per_answer));
    }
    page.push_str("</table>\n<h2>Milliseconds</h2>\n<table>\n<tr><td>");
    for name in ["p50", "p90", "p99", "p99.9", "longest", "mean"] {
        let _ = write!(page, "<th scope=\"col\">{name}");
    }
    page.push_str(&times("From due to answered", &report.milliseconds));
    page.push_str(&times("Sent later than due", &report.late_milliseconds));
    page.push_str("\n</table>\n");
    let per_second = |value: fn(&SecondFigures) -> f64| -> Vec<f64> {
        report.by_second.iter().map(value).collect()
    };
    let as_meant = per_second(|it| float(it.as_meant));
    let failed = per_second(|it| float(it.failed));
    let (p50, p99) = (per_second(|it| it.p50), per_second(|it| it.p99));
    let answers = over_seconds(
        "Answers a second",
        &[Line { class: "usual", values: &as_meant }, Line { class: "high", values: &failed }],
    );
    let latency = over_seconds(
        "Milliseconds by second",
        &[Line { class: "usual", values: &p50 }, Line { class: "high", values: &p99 }],
    );
    let _ = write!(
        page,
        "<h2>Answers a second: as they had to be, and failed (red)</h2>\n{answers}\
         <h2>Milliseconds: half of the requests, and 99 of 100 (red)</h2>\n{latency}\
         <p>Before the load an assertion was sent twice, and refused the second time.</p>\n"
    );
    page
}

fn times(name: &str, it: &Milliseconds) -> String {
    let mut row = format!("\n<tr><th scope=\"row\">{name}");
    for value in [it.p50, it.p90, it.p99, it.p99_9, it.max, it.mean] {
        let _ = write!(row, "<td>{value:.2}");
    }
    row
}

/// Text as HTML shows it; what a server has said may be in it.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::load::report::tests::report;

    #[test]
    fn a_page_holds_the_figures_and_two_charts_and_no_markup_of_others() {
        let page = html(&report());
        assert_eq!(page.matches("<svg").count(), 2);
        assert!(page.contains("Failed: 503 &lt;temporarily_unavailable&gt;"), "{page}");
        assert!(!page.contains("<script") && !page.contains("http://"), "{page}");
        assert!(page.contains("<th scope=\"row\">Tokens<td>3\n"), "{page}");
    }
}
