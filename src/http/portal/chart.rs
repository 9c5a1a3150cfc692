//! Charts, drawn on the server: SVG with classes of the stylesheet alone, and a text that says what they show.

use std::fmt::Write as _;

use askama::filters::Safe;

use crate::http::portal::markup::escaped;

/// The size of a chart, in its own units.
const WIDTH: u32 = 960;
const HEIGHT: u32 = 280;

/// Where the bars stand: room for numbers on the left and for days below.
const LEFT: u32 = 80;
const TOP: u32 = 14;
const BOTTOM: u32 = 246;

/// Lines across a chart above its axis.
const GRID_LINES: u64 = 4;

/// The most labels under a chart that can be read beside each other.
const LABELS_MAX: usize = 8;

/// One bar.
pub(super) struct Bar {
    /// What stands under it.
    pub(super) label: String,
    pub(super) value: u64,
}

/// Upright bars with a scale. `id` tells it from other charts of the page; `number` writes a number for people.
pub(super) fn bars(
    id: &str,
    (title, description): (&str, &str),
    bars: &[Bar],
    number: impl Fn(u64) -> String,
) -> Safe<String> {
    let top = round_up(bars.iter().map(|bar| bar.value).max().unwrap_or(0));
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\">\
         <title id=\"{id}-title\">{}</title><desc id=\"{id}-desc\">{}</desc>",
        escaped(title),
        escaped(description)
    );
    for line in 0..=GRID_LINES {
        let value = top * line / GRID_LINES;
        let y = y(value, top);
        let class = if line == 0 { "chart-axis" } else { "chart-grid" };
        let _ = write!(
            svg,
            "<line class=\"{class}\" x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{y}\" y2=\"{y}\"></line>\
             <text class=\"chart-end\" x=\"{}\" y=\"{}\">{}</text>",
            LEFT - 10,
            y + 5,
            escaped(&number(value))
        );
    }
    let count = u32::try_from(bars.len().max(1)).unwrap_or(u32::MAX);
    let every = bars.len().div_ceil(LABELS_MAX).max(1);
    // Hundredths of a unit, so that many bars are as wide as each other.
    let step = (WIDTH - LEFT) * 100 / count;
    for (at, bar) in (0_u32..).zip(bars) {
        let x = LEFT * 100 + at * step;
        let (y, width) = (y(bar.value, top), step * 7 / 10);
        let height = BOTTOM - y;
        let _ = write!(
            svg,
            "<rect class=\"series-1 chart-bar\" x=\"{}\" y=\"{y}\" width=\"{}\" height=\"{height}\">\
             <title>{}: {}</title></rect>",
            hundredths(x + step * 15 / 100),
            hundredths(width),
            escaped(&bar.label),
            escaped(&number(bar.value))
        );
        if usize::try_from(at).is_ok_and(|at| at.is_multiple_of(every)) {
            let _ = write!(
                svg,
                "<text class=\"chart-middle\" x=\"{}\" y=\"{}\">{}</text>",
                hundredths(x + step / 2),
                BOTTOM + 24,
                escaped(&bar.label)
            );
        }
    }
    svg.push_str("</svg>");
    Safe(svg)
}

/// Bars that lie, the first on top: a list of names and numbers with a bar each, which is as wide as there is room.
pub(super) fn lying_bars(bars: &[Bar], number: impl Fn(u64) -> String) -> Safe<String> {
    let most = bars.iter().map(|bar| bar.value).max().unwrap_or(0).max(1);
    let mut list = String::from("<ol class=\"lying-bars\">");
    for bar in bars {
        let thousandths = u128::from(bar.value) * 1_000 / u128::from(most);
        // What is there can be seen, however little it is.
        let wide = if bar.value == 0 { 0 } else { thousandths.max(4) };
        let _ = write!(
            list,
            "<li><span class=\"break\">{}</span><svg viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" \
             aria-hidden=\"true\"><rect class=\"series-1 chart-bar\" width=\"{wide}\" height=\"10\"></rect></svg>\
             <strong>{}</strong></li>",
            escaped(&bar.label),
            escaped(&number(bar.value))
        );
    }
    list.push_str("</ol>");
    Safe(list)
}

/// The next number that makes a good end of a scale: 4, 8, 20, 40, 80, 200 and so on.
fn round_up(value: u64) -> u64 {
    let mut size: u64 = 4;
    loop {
        for factor in [1, 2, 5] {
            let end = size.saturating_mul(factor);
            if end >= value {
                return end;
            }
        }
        size = size.saturating_mul(10);
    }
}

fn y(value: u64, top: u64) -> u32 {
    let high = u128::from(BOTTOM - TOP) * u128::from(value) / u128::from(top.max(1));
    BOTTOM - u32::try_from(high).unwrap_or(BOTTOM - TOP).min(BOTTOM - TOP)
}

fn hundredths(value: u32) -> String {
    format!("{}.{:02}", value / 100, value % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_ends_where_it_can_be_quartered() {
        for (value, end) in [(0, 4), (4, 4), (5, 8), (9, 20), (21, 40), (1_000, 2_000)] {
            assert_eq!(round_up(value), end, "{value}");
            assert_eq!(end % GRID_LINES, 0);
        }
        assert!(round_up(u64::MAX) == u64::MAX);
    }

    #[test]
    fn a_chart_says_what_it_shows_and_holds_no_markup_of_others() {
        let bar = |value| Bar { label: "<b>".to_owned(), value };
        let svg = bars("c", ("T & U", "D"), &[bar(0), bar(8)], |n| n.to_string()).0;
        assert!(svg.contains("<title id=\"c-title\">T &#38; U</title>"), "{svg}");
        assert!(svg.contains("y=\"14\" width=") && svg.contains("height=\"232\""), "{svg}");
        assert!(!svg.contains("<b>") && !svg.contains("style"), "{svg}");
        assert_eq!(svg.matches("<rect").count(), 2);
        assert!(bars("c", ("", ""), &[], |n| n.to_string()).0.ends_with("</svg>"));
    }

    #[test]
    fn lying_bars_have_names_and_numbers_and_the_longest_is_as_long_as_it_can_be() {
        let bar = |label: &str, value| Bar { label: label.to_owned(), value };
        let all = [bar("A & <b>", 100_000), bar("B", 50_000), bar("C", 1), bar("D", 0)];
        let list = lying_bars(&all, |n| n.to_string()).0;
        let widths = list.split(" width=\"").skip(1).filter_map(|rest| rest.split('"').next());
        assert_eq!(widths.collect::<Vec<_>>(), ["1000", "500", "4", "0"]);
        assert!(list.contains(">A &#38; &#60;b&#62;</span>") && !list.contains("style"), "{list}");
        assert!(list.contains("<strong>50000</strong>"), "{list}");
    }
}
